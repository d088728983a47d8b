export { convertModel } from './convert/convert-model.ts';
export { openHuggingFaceFolder } from './convert/open-hugging-face-folder.ts';
export type { RepoType } from './hub/cache-layout.ts';
export {
  type DownloadOptions,
  type DownloadProgress,
  downloadHubFile,
  type HubFile,
  type HubOptions,
} from './hub/download.ts';
export { type HubEntry, listHubFiles } from './hub/list.ts';
export type { RetryPolicy } from './hub/transfer.ts';
export { type FileSource, openFile } from './source/file-source.ts';
export { writeChunks } from './source/write-file.ts';
