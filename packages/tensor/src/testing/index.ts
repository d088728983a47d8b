export { type BackendContractOptions, backendContract } from './backend-contract.ts';
