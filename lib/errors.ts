// The one family of errors this product throws on purpose. Anything else that is thrown is a bug and surfaces as one.
// Partial failure of a DCS call is never an error here: it is data (see execute.ts).

/** One faulty field: `path` is a JSON-path-like place (`instances[2]`), `message` a sentence about it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** Base of the family: a stable `code` for programs, a sentence for people, the cause kept. */
export class AutopilotError extends Error {
  override readonly name: string = 'AutopilotError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A door refuses a request: `status` is the HTTP status, `details` names each faulty field. */
export class DoorError extends AutopilotError {
  override readonly name = 'DoorError';
  readonly status: number;
  readonly details: readonly Fault[];

  constructor(status: number, code: string, message: string, details: readonly Fault[] = [], options?: ErrorOptions) {
    super(code, message, options);
    this.status = status;
    this.details = details;
  }
}

/** The configuration is faulty; every fault is listed, each with its place in the file. */
export class ConfigError extends AutopilotError {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super('config_invalid', faults.map(showFault).join('\n'));
    this.faults = faults;
  }
}

/** A fault with its place: `line` counts from 1. */
export interface ConfigFault extends Fault {
  readonly file: string;
  readonly line: number;
}

/** `file:line: path: what`, the form that editors and terminals make clickable. */
export function showFault(fault: ConfigFault): string {
  return `${fault.file}:${fault.line}: ${fault.path === '' ? '(file)' : fault.path}: ${fault.message}`;
}

/** The environment cannot carry the program: a port or folder in use, a missing secret, a wrong Node. */
export class EnvironmentError extends AutopilotError {
  override readonly name = 'EnvironmentError';
}
