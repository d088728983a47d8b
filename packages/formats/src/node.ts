export { type FileSource, openFile } from './source/file-source.ts';
