/** Line charts as SVG text, both axes logarithmic, drawn by Apache ECharts without a browser. */

import { LineChart as EchartsLines } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

export interface LineChart {
  readonly title: string;
  /** Name of the horizontal axis. */
  readonly across: string;
  /** Name of the vertical axis. */
  readonly up: string;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly (readonly [across: number, up: number])[];
  }[];
}

const SIZE = { width: 720, height: 420 };

/** Draws a chart. */
export const svgOf = ({ title, across, up, lines }: LineChart): string => {
  use([EchartsLines, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: { text: title, left: 'center', textStyle: { fontSize: 14 } },
      legend: { bottom: 0 },
      grid: { left: 60, right: 30, top: 50, bottom: 80 },
      xAxis: { type: 'log', logBase: 2, name: across, nameLocation: 'middle', nameGap: 28 },
      yAxis: { type: 'log', logBase: 2, name: up },
      series: lines.map(({ name, points }) => ({ type: 'line', name, data: points.map((point) => [...point]) })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
};
