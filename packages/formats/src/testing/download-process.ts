/** A process of its own that downloads one file, so that a test can kill it. Arguments: hub URL, cache folder, path. */
import { downloadHubFile } from '../hub/download.ts';

const [hubUrl, cacheFolder, path] = process.argv.slice(2);
await downloadHubFile('team/model', path, { hubUrl, cacheFolder });
