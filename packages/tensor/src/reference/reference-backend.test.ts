/** The reference backend fulfils its own contract: comparisons with itself are trivial, the rest is not. */
import { backendContract } from '../testing/backend-contract.ts';
import { createReferenceBackend } from './reference-backend.ts';

backendContract({ name: 'reference', create: () => createReferenceBackend() });
