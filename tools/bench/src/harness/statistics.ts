/**
 * Figures of repeated measurements. A median says what to expect; a minimum or a low quantile says what the machine can
 * do when nothing else disturbs it, which is what ratios between two short measurements need.
 */

import { requireArgument } from '@gallop/core';

const sorted = (values: readonly number[]): number[] => {
  requireArgument(values.length > 0 && !values.some(Number.isNaN), () => {
    return `Expected at least one measured number; received [${values.join(', ')}]; repeat the measurement.`;
  });
  return [...values].sort((a, b) => a - b);
};

/**
 * The value below which `share` of the measurements lie, linear between neighbours.
 *
 * @param share from 0 (the minimum) to 1 (the maximum)
 * @throws GallopError `invalid-argument` without measurements, for NaN, or for a share outside 0…1
 */
export const quantile = (values: readonly number[], share: number): number => {
  requireArgument(share >= 0 && share <= 1, () => `Expected a share within 0…1; received ${share}; correct it.`);
  const ordered = sorted(values);
  const place = share * (ordered.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return ordered[below] + (ordered[above] - ordered[below]) * (place - below);
};

/** The middle value (mean of the two middle ones). @throws as `quantile` */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The lowest value. @throws as `quantile` */
export const minimum = (values: readonly number[]): number => quantile(values, 0);

/** Distance between highest and lowest as a share of the median. @throws as `quantile` */
export const spread = (values: readonly number[]): number => (quantile(values, 1) - minimum(values)) / median(values);
