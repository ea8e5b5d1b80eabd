// Every code that a door refuses a request with, its status, and what it means: said once, for all operations.

/** Status and meaning of each code. */
export const refusals = {
  malformed: [400, 'The body, the query or a header cannot be read; `details` names each faulty field.'],
  key_required: [400, 'The header that tells one delivery from another is missing.'],
  token_missing: [401, 'The header `Authorization: Bearer <token>` is required.'],
  token_invalid: [401, 'The token is not known.'],
  password_missing: [401, 'The header `Authorization: Basic` is required.'],
  password_invalid: [401, 'User and password are not known.'],
  signature_missing: [401, 'A header that the request is signed with is missing.'],
  signature_invalid: [401, 'No signature matches the bytes that were sent.'],
  timestamp_outside_window: [401, 'The time that was signed is too far from our clock.'],
  certificate_expired: [401, 'The certificate of an SMN message is outside its dates (503 where it is a pinned one).'],
  read_key_invalid: [401, 'The key does not open this run.'],
  forbidden: [403, 'The operator does not have the right.'],
  own_request: [403, 'Whoever asked for a run cannot approve it.'],
  topic_not_listed: [403, 'The topic of SMN is not listed.'],
  not_found: [404, 'There is no such job, run, hook or source.'],
  method_not_allowed: [405, 'The path does not have this method; `Allow` says which it has.'],
  key_reused: [409, 'The key was used before, with another body.'],
  wrong_status: [409, 'The run is in no state for this.'],
  other_plan: [409, 'The run waits for a word on another plan.'],
  approval_lapsed: [409, 'The word came too late.'],
  decided: [409, 'The plan was approved or rejected already.'],
  body_too_large: [413, 'The body is over 256 KiB.'],
  disabled: [422, 'The job is switched off.'],
  instances_not_allowed: [422, 'This hook takes no instances.'],
  instances_empty: [422, 'An empty list selects nobody.'],
  too_many: [422, 'A run is at most 10,000 instances.'],
  outside_target: [422, 'An instance is outside the target.'],
  reason_required: [422, 'Whoever breaks the glass has to say why.'],
  event_not_allowed: [422, 'No alert starts this job, or an event stands beside instances.'],
  no_instance: [422, 'The event names no instance.'],
  job_changed: [422, 'The job does not do the same to the same project any more.'],
  nothing_to_retry: [422, 'The run left nothing failed or not started.'],
  project_unknown: [422, 'There is no such project.'],
  internal: [500, 'Something went wrong on our side; the log has it under the id of the request.'],
  secrets_unavailable: [503, 'Not every secret can be checked now; send this again.'],
  state_unavailable: [503, 'The state cannot be reached; send this again.'],
  unavailable: [503, 'The service is not ready; send this again.'],
  certificate_unavailable: [503, 'The certificate of an SMN message could not be fetched; send this again.'],
  confirmation_failed: [503, 'A subscription could not be confirmed; send this again.'],
} as const satisfies Readonly<Record<string, readonly [status: number, meaning: string]>>;

/** A code that a door refuses with. */
export type RefusalCode = keyof typeof refusals;

/** What any request may meet. */
export const anywhere: readonly RefusalCode[] = ['method_not_allowed', 'internal', 'unavailable'];
/** What whoever comes with an operator's token may meet. */
export const withToken: readonly RefusalCode[] = [
  'token_missing',
  'token_invalid',
  'forbidden',
  'secrets_unavailable',
  'state_unavailable',
];
/** What a body may meet. */
export const withBody: readonly RefusalCode[] = ['malformed', 'body_too_large'];
/** What a list of instances may meet. */
export const withInstances: readonly RefusalCode[] = ['disabled', 'instances_empty', 'too_many', 'outside_target'];
