// The same call through the vendor's own core package, as its service packages use it: builder, credentials, one
// request. It brings its own logger (log4js) and checks nothing in the answer, so it is asked for less than our path does.

import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js';
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js';
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { ids, key, projectId } from '../site.ts';

/** Restarts the two instances; answers how many were accepted. */
export async function handler(endpoint: string): Promise<number> {
  const credentials = new BasicCredentials().withAk(key.ak).withSk(key.sk).withProjectId(projectId);
  const client = new ClientBuilder<HcClient>((core) => core).withCredential(credentials).withEndpoint(endpoint).build();
  const answer: object = await client.sendRequest({
    method: 'PUT',
    url: '/v2/{project_id}/instances/status',
    contentType: 'application/json',
    queryParams: {},
    pathParams: { project_id: projectId },
    headers: {},
    data: { instances: ids, action: 'restart' },
  });
  const results: unknown[] = 'results' in answer && Array.isArray(answer.results) ? answer.results : [];
  return results.filter((entry) => JSON.stringify(entry).includes('"success"')).length;
}
