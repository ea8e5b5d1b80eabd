// The page as an answer: one document that holds all it needs and nothing of what is remembered. Whatever it shows it asks
// the doors for, with the token of whoever looks.

import { createHash } from 'node:crypto';
import type { HttpAnswer } from '../http.ts';
import { type PageSource, pageSource } from './source.ts';

let made: HttpAnswer | undefined;

/** `GET /`: public, since it holds no data. */
export async function showPage(): Promise<HttpAnswer> {
  made ??= pageAnswer(pageSource());
  return made;
}

/** `HEAD /`: for whoever only wants to know whether it is there. */
export async function showPageHead(): Promise<HttpAnswer> {
  return { ...(await showPage()), body: '' };
}

/**
 * The document, and a policy under which a browser runs this script alone, uses this style alone, and speaks to this
 * origin alone: a text from outside that got into the document as markup could do nothing there. Trusted Types, where
 * a browser has them, refuse every way to make markup of a text.
 */
export function pageAnswer({ html, css, script }: PageSource): HttpAnswer {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(css)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    status: 200,
    body: html.replace('/* style */', () => css).replace('/* script */', () => script),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
