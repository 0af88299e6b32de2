/**
 * The figures of the table at the end: what each is called, what it must reach against PM2, and how it is shown.
 * `below`: the aim for upkeep / PM2. `atMost`: the aim for upkeep's own figure. Figures without an aim are shown for what
 * they tell.
 */
const KIB_IN_MB = 1000;

const ms = { unit: 'ms', show: (value) => value.toFixed(0) };
const ratio = { unit: '× node -e 0', show: (value) => value.toFixed(2) };
const megabytes = { unit: 'MB', show: (value) => (value / KIB_IN_MB).toFixed(1) };
const count = { unit: '', show: (value) => value.toFixed(0) };

export const FIGURES = [
  ...[1, 50, 200].map((n) => ({ id: `list.${n}`, title: `list, services: ${n}`, ...ratio, atMost: 1.6 })),
  { id: 'first-answer', title: 'no daemon → first answer of an http app', ...ms, below: 1 },
  ...[100, 300].flatMap((n) => [
    { id: `start.${n}`, title: `start ${n} sleeps, command returned`, ...ms, below: 0.5 },
    { id: `start-last.${n}`, title: `start ${n} sleeps, last one began`, ...ms, below: 0.5 },
    { id: `delete.${n}`, title: `delete all ${n}`, ...ms, below: 0.5 },
  ]),
  ...[0, 100, 300].flatMap((n) => [
    {
      id: `private.${n}`,
      title: `private memory added, services: ${n}, after 8 s`,
      ...megabytes,
      below: 1,
    },
    { id: `private-idle.${n}`, title: `private memory added, services: ${n}, idle`, ...megabytes, below: 1 },
    { id: `idle-cpu.${n}`, title: `processor time a minute, services: ${n}, idle`, ...ms, below: 1 },
    { id: `processes.${n}`, title: `processes added, services: ${n}`, ...count },
  ]),
  ...[1, 10].flatMap((n) => {
    const storm = n === 1 ? 'log storm' : `log storm of ${n}`;
    return [
      { id: `storm-wall.${n}`, title: `${storm}, the writers took`, ...ms, below: 1 },
      { id: `storm-missing.${n}`, title: `${storm}, lines missing`, ...count, atMost: 0 },
      { id: `storm-cpu.${n}`, title: `${storm}, processor time per million lines`, ...ms, below: 1 },
      { id: `storm-list.${n}`, title: `${storm}, list meanwhile`, ...ms, below: 1 },
      { id: `storm-list-max.${n}`, title: `${storm}, longest list`, ...ms, below: 1 },
    ];
  }),
  {
    id: 'app-private',
    title: 'private memory added to a tiny Node program',
    ...megabytes,
    below: 1,
    isOverBare: true,
  },
];

/** `records`: adapter -> figure -> median. Answers the rows of the table, as text. */
export function tableOf(records, adapters) {
  const head = ['figure', 'unit', ...adapters, 'upkeep / pm2', 'aim', 'reached'];
  const rows = FIGURES.map((figure) => [
    figure.title,
    figure.unit,
    ...adapters.map((adapter) => cell(valueOf(records, adapter, figure), figure)),
    ...verdict(valueOf(records, 'upkeep', figure), valueOf(records, 'pm2', figure), figure),
  ]).filter((row) => row.slice(2, 2 + adapters.length).some((text) => text !== ''));
  return [head, ...rows];
}

/** `isOverBare`: the manager's share is what the same program does not have without it. */
function valueOf(records, adapter, { id, isOverBare }) {
  const value = records[adapter]?.[id];
  if (!isOverBare || value === undefined || adapter === 'bare') return value;
  const bare = records.bare?.[id];
  return bare === undefined ? undefined : Math.max(0, value - bare);
}

function cell(value, { show }) {
  return value === undefined ? '' : show(value);
}

function verdict(upkeep, pm2, { below, atMost }) {
  if (upkeep === undefined || pm2 === undefined) return ['', '', ''];
  const quotient = pm2 === 0 ? (upkeep === 0 ? 1 : Infinity) : upkeep / pm2;
  if (atMost !== undefined)
    return [quotient.toFixed(2), `upkeep ≤ ${atMost}`, upkeep <= atMost ? 'yes' : 'NO'];
  if (below === undefined) return [quotient.toFixed(2), '', ''];
  const isReached = quotient < below || upkeep === 0;
  return [quotient.toFixed(2), `< ${below}`, isReached ? 'yes' : 'NO'];
}
