// The query of a request, read as strictly as a body: every faulty and every unknown parameter is named.

import * as v from 'valibot';
import { type HttpRequest, malformed, readMembers } from '../http.ts';

/** Reads the parameters by a strict schema of texts. Throws DoorError 400 `malformed`, naming each faulty parameter. */
export function readQuery<E extends v.ObjectEntries>(
  schema: v.StrictObjectSchema<E, undefined>,
  request: Pick<HttpRequest, 'query'>,
): v.InferOutput<v.StrictObjectSchema<E, undefined>> {
  return readMembers(schema, parameters(request.query), 'query');
}

/** Refuses any parameter, by name. */
export function refuseParameters(request: Pick<HttpRequest, 'query'>): void {
  readQuery(v.strictObject({}), request);
}

/** The parameters of a query; one that is there twice could mean either of its values. */
function parameters(query: string): Record<string, string> {
  const pairs = [...new URLSearchParams(query)];
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return Object.fromEntries(pairs);
  throw malformed('A parameter is there twice.', [{ path: twice.slice(0, 100), message: 'is there twice' }]);
}
