/**
 * The byte alphabet of byte-level BPE (GPT-2): each byte has one printable character. Bytes 33–126, 161–172 and 174–255
 * stand for themselves; the other 68 follow from U+0100 on in order.
 */

/** byteToCode[b]: the code point that stands for byte b. */
export const byteToCode: Int32Array = new Int32Array(256);

/** codeToByte[c]: the byte that code point c stands for, or -1. Code points from codeToByte.length on stand for none. */
export const codeToByte: Int32Array = new Int32Array(256 + 68).fill(-1);

let extra = 256;
for (let byte = 0; byte < 256; byte++) {
  const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const code = printable ? byte : extra++;
  byteToCode[byte] = code;
  codeToByte[code] = byte;
}
