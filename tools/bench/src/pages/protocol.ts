/** What the measuring page takes and gives. Times are milliseconds of the page's clock, which starts at navigation. */

export interface PageTask {
  readonly engine: 'gallop' | 'wllama';
  readonly modelUrl: string;
  readonly promptIds: readonly number[];
  /** Text of these ids. */
  readonly promptText: string;
  readonly newTokens: number;
  readonly threads: number;
  /** wllama only. */
  readonly flashAttention: boolean;
}

export interface PageRun {
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
  readonly firstTokenAt: number;
  /** Threads that computed, as the engine says. */
  readonly threads: number;
  readonly tokens: readonly number[];
}

declare global {
  interface Window {
    /** Set by the page when it is ready. */
    measure?: (task: PageTask) => Promise<PageRun>;
  }
}
