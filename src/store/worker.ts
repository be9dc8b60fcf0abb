import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import { openService, type ServiceOptions } from './service.js';
import { storeError } from './sqlite-errors.js';
import { serve } from './thread-server.js';
import { toWire } from './wire-error.js';

/** The entry of a thread: opens what it is told to, and serves until it is told to close. */
function main(port: MessagePort, options: ServiceOptions): void {
  try {
    const service = openService(options);
    port.postMessage({ kind: 'ready', storeId: service.catalog.id });
    serve(service, port, () => receiveMessageOnPort(port)?.message);
  } catch (error) {
    port.postMessage({ kind: 'closed', error: toWire(storeError(error, options.path)) });
    port.close();
  }
}

main(parentPort!, workerData as ServiceOptions);
