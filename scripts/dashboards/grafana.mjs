/** A Grafana dashboard from rows of panels: what differs between panels is written once, the rest is the same for all. */

const WIDTH = 24;
const HEIGHT = 8;
const source = { type: 'prometheus', uid: '${datasource}' };

/**
 * @param {{ uid: string, title: string, description: string, rows: { title: string, panels: Panel[] }[] }} dashboard
 * @typedef {{ title: string, description: string, unit?: string, stat?: boolean, queries: Record<string, string> }} Panel
 *   `queries`: legend → PromQL.
 */
export function grafana({ uid, title, description, rows }) {
  let y = 0;
  let id = 0;
  const panels = rows.flatMap((row) => {
    const head = {
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: at(0, y++, WIDTH, 1),
    };
    const width = WIDTH / row.panels.length;
    const body = row.panels.map((panel, i) => panelOf(panel, ++id, at(i * width, y, width, HEIGHT)));
    y += HEIGHT;
    return [head, ...body];
  });
  return {
    uid,
    title,
    description,
    tags: ['outrigger'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [datasource(), instances()] },
    panels,
  };
}

function at(x, y, w, h) {
  return { x, y, w, h };
}

function panelOf({ title, description, unit = 'short', stat = false, queries }, id, gridPos) {
  return {
    id,
    type: stat ? 'stat' : 'timeseries',
    title,
    description,
    gridPos,
    datasource: source,
    fieldConfig: {
      defaults: { unit, min: 0, ...(stat ? {} : { custom: { fillOpacity: 8 } }) },
      overrides: [],
    },
    options: stat
      ? { reduceOptions: { calcs: ['lastNotNull'] } }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: Object.entries(queries).map(([legendFormat, expr], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: source,
      expr,
      legendFormat,
    })),
  };
}

function datasource() {
  return { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus', hide: 0 };
}

function instances() {
  return {
    name: 'instance',
    type: 'query',
    label: 'Instance',
    datasource: source,
    query: { query: 'label_values(up{job="outrigger"}, instance)', refId: 'instances' },
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: { text: 'All', value: '$__all' },
    refresh: 2,
    sort: 1,
  };
}
