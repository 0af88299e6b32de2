export { judgeKinds } from './events.js';
export { judge, type GateOptions, type GateSpec, type GateVerdict, type Judgement } from './gate.js';
export type { InstanceLook, Look, NewErrorKind, ServiceLook, SideLook } from './look.js';
export { fisher, type Tally } from './fisher.js';
export { mannWhitney } from './mann-whitney.js';
