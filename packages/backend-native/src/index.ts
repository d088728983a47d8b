export { createNativeBackend, type NativeBackendOptions, nativeVariants } from './native-backend.ts';
