/** The kernels' source lives in `c/`; what is built from it is found through the `./native` and `./wasm` entries. */
export {};
