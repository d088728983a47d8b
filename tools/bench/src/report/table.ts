/** Tables as aligned text and as Markdown. The first column holds names, the others figures. */

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Columns aligned with spaces, names to the left and figures to the right. */
export const alignedTable = ({ columns, rows }: Table): string => {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
  const pad = (line: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = line[column] ?? '';
        const space = ' '.repeat(width - [...cell].length);
        return column === 0 ? cell + space : space + cell;
      })
      .join('  ')
      .trimEnd();
  return [pad(columns), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(pad)].join('\n');
};

/** A GitHub-flavoured Markdown table. */
export const markdownTable = ({ columns, rows }: Table): string => {
  const line = (cells: readonly string[]): string =>
    `| ${columns.map((_, column) => (cells[column] ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${columns.map((_, column) => (column === 0 ? '---' : '--:')).join('|')}|`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
};
