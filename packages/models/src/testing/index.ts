export { tinyCheckpoint } from './checkpoint.ts';
export { Draws } from './draws.ts';
export { type JourneyOptions, type JourneyReport, runJourney } from './journey.ts';
export { hashBits, Oracle, type OracleRow } from './oracle.ts';
export { openInMemory, type TinyModelOptions, tinyModel } from './tiny-model.ts';
export { WatchedBackend } from './watched-backend.ts';
