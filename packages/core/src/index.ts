export { type ErrorCode, GallopError, requireArgument } from './errors.ts';
