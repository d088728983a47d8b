/** Figures for tables: three significant digits, with their unit where the row does not say it. */

/** Three significant digits without an exponent. */
export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100 || value === 0) return value.toFixed(0);
  const digits = 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01)));
  return value.toFixed(Math.max(0, digits));
};

/** A ratio, such as `2.53×`. */
export const ratioFigure = (value: number): string => `${value.toFixed(2)}×`;

/** A share, such as `75 %`. */
export const shareFigure = (value: number): string => `${(value * 100).toFixed(0)} %`;

/** Bytes in MB (10⁶), as bandwidths count them. */
export const megabytes = (bytes: number): string => figure(bytes / 1e6);
