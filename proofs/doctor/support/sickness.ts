/** One sickness of a machine: how it comes about, what the doctor has to find, and what heals it. */
import type { Finding } from '../../../src/doctor/index.js';
import type { Patient } from './patient.js';

export interface Sickness {
  /** Completes "a machine where …". */
  readonly where: string;
  /** Exactly these are found. */
  readonly finds: readonly string[];
  prepare(patient: Patient): Promise<void>;
  /** Asserts what the first finding shows. */
  verify(finding: Finding, patient: Patient): void;
  /** `fix`: `upkeep doctor --fix`. `command`: what the finding tells to run. Then nothing is found any more. */
  readonly heals?: 'fix' | 'command';
}

export function defineSickness(sickness: Sickness): Sickness {
  return sickness;
}
