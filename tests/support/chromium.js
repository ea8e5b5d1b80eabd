// Where a Chromium is, for jest.config.js, which loads no TypeScript, and for the tests that drive it.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * The file in CHROMIUM, else the first one in PATH; undefined where there is none.
 *
 * @returns {string | undefined}
 */
export function chromiumPath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env['CHROMIUM'] ?? '', ...places].filter((path) => path !== '').find(isProgram);
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
