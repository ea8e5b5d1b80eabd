// The code of an error that Node itself throws: its kind is told by `code` alone.

/** `ENOENT`, `ERR_PARSE_ARGS_UNKNOWN_OPTION` and the like; undefined where there is none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
