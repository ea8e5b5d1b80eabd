// The part of dynalite that is used: it comes without types.

declare module 'dynalite' {
  import type { Server } from 'node:http';

  function dynalite(options: { readonly createTableMs?: number }): Server;
  export = dynalite;
}
