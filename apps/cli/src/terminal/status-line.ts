/**
 * A line on standard error that changes in place. While answers stream to the same terminal it lives on the last row,
 * under a scroll region for the text; when standard output goes elsewhere it is an ordinary rewritten line. Nothing is
 * written when standard error is no terminal.
 */

import type { WriteStream } from 'node:tty';

const ESCAPE = '\x1b';
const SAVE = `${ESCAPE}7`;
const RESTORE = `${ESCAPE}8`;
const CLEAR_LINE = `${ESCAPE}[2K`;
const REDRAW_MILLISECONDS = 80;

/** The parts of a terminal stream that are used. */
export type Terminal = Pick<WriteStream, 'isTTY' | 'rows' | 'columns' | 'write'>;

export class StatusLine {
  readonly #terminal: Terminal;
  readonly #pinned: boolean;
  #open = false;
  #drawnAt = 0;

  /** @param pinned text streams to the same terminal meanwhile */
  constructor(terminal: Terminal, pinned: boolean) {
    this.#terminal = terminal;
    this.#pinned = pinned && (terminal.rows ?? 0) > 3;
  }

  /** Shows a line, at most every 80 ms. */
  update(text: string): void {
    if (!this.#terminal.isTTY || performance.now() - this.#drawnAt < REDRAW_MILLISECONDS) return;
    this.#drawnAt = performance.now();
    const line = text.slice(0, Math.max(0, (this.#terminal.columns ?? 80) - 1));
    if (!this.#pinned) {
      this.#open = true;
      this.#terminal.write(`\r${CLEAR_LINE}${line}`);
      return;
    }
    if (!this.#open) this.#reserve();
    this.#terminal.write(`${SAVE}${ESCAPE}[${this.#terminal.rows};1H${CLEAR_LINE}${line}${RESTORE}`);
  }

  /** Removes the line and gives its row back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const release = `${SAVE}${ESCAPE}[r${ESCAPE}[${this.#terminal.rows};1H${CLEAR_LINE}${RESTORE}`;
    this.#terminal.write(this.#pinned ? release : `\r${CLEAR_LINE}`);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Makes room under the cursor and limits scrolling to the rows above the last. */
  #reserve(): void {
    this.#open = true;
    this.#terminal.write(`\n${ESCAPE}[1A${SAVE}${ESCAPE}[1;${this.#terminal.rows - 1}r${RESTORE}`);
  }
}

/** A bar of `width` characters, filled by a share from 0 to 1. */
export const progressBar = (share: number, width = 24): string => {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}]`;
};
