// Runs in a process of its own, whose HOME is a temporary folder: the vendor's core package writes an id there, opens a
// log file where it is started, and prints failed requests. It is told over IPC what to call, and tells what came of it.

import process from 'node:process';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js';
import { GlobalCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/GlobalCredentials.js';
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js';
import { ServiceResponseException } from '@huaweicloud/huaweicloud-sdk-core/exception/ServiceResponseException.js';
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { Region } from '@huaweicloud/huaweicloud-sdk-core/region/region.js';

/** What the child is told. */
export interface Order {
  readonly endpoint: string;
  readonly key: { readonly ak: string; readonly sk: string; readonly securityToken?: string };
  readonly projectId: string;
  /** The SDK shall ask IAM for the project, by the name of its region. */
  readonly findsProject?: boolean;
  /** Set: the SDK gets temporary keys for the token in this file, which this provider vouches for. */
  readonly federated?: { readonly provider: string; readonly file: string };
  /** Set: as a service of the whole account, such as IAM. */
  readonly domainId?: string;
  readonly calls: readonly OfficialCall[];
}

/** One call; `{project_id}` in its path is filled by the SDK. */
export interface OfficialCall {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly data?: object;
}

/** What came of a call: the body with its status, or the SDK's own exception. */
export type Outcome =
  | { readonly kind: 'response'; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'exception';
      readonly type: string;
      readonly status: number | string | undefined;
      readonly code: string | undefined;
      readonly message: string | undefined;
      readonly requestId: string | undefined;
    };

process.once('message', answer);

async function answer(order: Order): Promise<void> {
  process.send?.(await perform(order));
}

async function perform(order: Order): Promise<readonly Outcome[]> {
  const client = clientOf(order);
  const outcomes: Outcome[] = [];
  // One after the other: later calls see what earlier ones did.
  for (const call of order.calls) outcomes.push(await outcomeOf(client, call, order));
  return outcomes;
}

function clientOf({ endpoint, key, projectId, findsProject, federated, domainId }: Order): HcClient {
  const builder = new ClientBuilder<HcClient>((core) => core);
  if (federated !== undefined) {
    // The SDK puts its paths behind the endpoint without a slash.
    const credentials = new BasicCredentials().withIamEndpoint(`${endpoint}/`).withProjectId(projectId);
    credentials.withIdpId(federated.provider).withIdTokenFile(federated.file);
    return builder.withCredential(credentials).withEndpoint(endpoint).build();
  }
  if (domainId !== undefined) {
    const credentials = new GlobalCredentials().withAk(key.ak).withSk(key.sk).withDomainId(domainId);
    return builder.withCredential(credentials).withEndpoint(endpoint).build();
  }
  const credentials = new BasicCredentials().withAk(key.ak).withSk(key.sk).withIamEndpoint(endpoint);
  if (key.securityToken !== undefined) credentials.withSecurityToken(key.securityToken);
  if (findsProject === true)
    return builder.withCredential(credentials).withRegion(new Region('eu-de', endpoint)).build();
  return builder.withCredential(credentials.withProjectId(projectId)).withEndpoint(endpoint).build();
}

async function outcomeOf(client: HcClient, call: OfficialCall, order: Order): Promise<Outcome> {
  const { method, url, query = {}, data = {} } = call;
  const pathParams = order.findsProject === true ? {} : { project_id: order.projectId };
  const options = { method, url, contentType: 'application/json', queryParams: query, pathParams, headers: {}, data };
  try {
    const body = await client.sendRequest<object>(options);
    return { kind: 'response', body: { ...body } };
  } catch (error) {
    if (!(error instanceof ServiceResponseException)) throw error;
    const { httpStatusCode: status, errorCode: code, errorMsg: message, requestId } = error;
    return { kind: 'exception', type: error.constructor.name, status, code, message, requestId };
  }
}
