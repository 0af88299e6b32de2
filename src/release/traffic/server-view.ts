/** What HAProxy says of the servers of a backend: parsed from `show stat` and `show servers state`. Pure. */

export interface ServerView {
  readonly name: string;
  /** `UP`, `UP 1/3`, `DOWN`, `DRAIN`, `MAINT`, `no check`, … */
  readonly status: string;
  readonly mode: 'ready' | 'drain' | 'maint';
  /** Of all that come in now: 0 gets nothing. */
  readonly weight: number;
  /** What was set, and what it was when HAProxy began. */
  readonly userWeight: number;
  readonly initialWeight: number;
  /** On their way, or waiting for it. */
  readonly sessions: number;
}

/**
 * Bits of srv_admin_state that somebody set by hand or in the configuration; the others are inherited or of DNS. What is `disabled` in the
 * configuration has FORCED_MAINT until somebody lets it in; a bit that tells where it came from (0x04) is there for good.
 */
const [FORCED_MAINT, FORCED_DRAIN] = [0x01, 0x08];

export function parseServers(stat: string, state: string): readonly ServerView[] {
  const admins = new Map(parseStates(state).map((row) => [row['srv_name'], row]));
  return parseStat(stat).flatMap((row) => {
    const admin = admins.get(row['svname']);
    if (!admin) return [];
    return {
      name: row['svname']!,
      status: row['status'] ?? '',
      mode: modeOf(Number(admin['srv_admin_state'])),
      weight: Number(row['weight']),
      userWeight: Number(admin['srv_uweight']),
      initialWeight: Number(admin['srv_iweight']),
      sessions: Number(row['scur']) + Number(row['qcur']),
    };
  });
}

/** Whether it would take what comes in. */
export function isServing({ status, mode, weight }: ServerView): boolean {
  return mode === 'ready' && weight > 0 && /^(?:UP|no check)/.test(status);
}

/** What was let in counts as up at once, as `UP 1/3`, and only as `UP` when a health check has found it so. */
export function isChecked({ status }: ServerView): boolean {
  return !status.includes('/');
}

function modeOf(bits: number): ServerView['mode'] {
  if ((bits & FORCED_MAINT) !== 0) return 'maint';
  return (bits & FORCED_DRAIN) === 0 ? 'ready' : 'drain';
}

type Row = Readonly<Record<string, string | undefined>>;

/** CSV; the only fields with commas in them stand after those that are read. */
function parseStat(text: string): readonly Row[] {
  const [head = '', ...lines] = text.split('\n');
  const names = head.replace(/^# /, '').split(',');
  return lines.filter((line) => line !== '').map((line) => toRow(names, line.split(',')));
}

/** A version, names of fields, and a line for each server. */
function parseStates(text: string): readonly Row[] {
  const [, head = '', ...lines] = text.split('\n');
  const names = head.replace(/^# /, '').split(' ');
  return lines.filter((line) => line !== '').map((line) => toRow(names, line.split(' ')));
}

function toRow(names: readonly string[], values: readonly string[]): Row {
  return Object.fromEntries(names.map((name, at) => [name, values[at]]));
}
