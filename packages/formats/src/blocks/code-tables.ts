/** The non-linear code tables of 4-bit formats. */

/** IQ4_NL and IQ4_XS: code → integer. */
export const iq4Codes: Int8Array = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
);

/** MXFP4 and NVFP4: the E2M1 values doubled (their scales are halved instead). */
export const fp4Codes: Int8Array = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
