/* Every variant of the kernels exports its interpreter under its own name. */
#ifndef VARIANT_NAME
#define VARIANT_NAME portable
#endif
#define VARIANT_PASTE(a, b) a##_##b
#define VARIANT_EXPAND(a, b) VARIANT_PASTE(a, b)
#define VARIANT(name) VARIANT_EXPAND(name, VARIANT_NAME)
