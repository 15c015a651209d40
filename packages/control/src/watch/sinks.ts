/** Watch sinks over what Node offers: the socket under an HTTP/1.1 response, or any writable stream. */

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Frame } from './frame.ts';
import type { WatchSink } from './sink.ts';

/**
 * The response's headers must be out. Frames go straight to the socket, already chunked: through the response each
 * would be chunked again for every watcher, which is half of the cost of a fan-out.
 */
export function responseSink(response: ServerResponse): WatchSink {
  const { socket } = response;
  // A response that waits behind another one on its connection has no socket yet.
  if (socket === null || !response.chunkedEncoding) return streamSink(response);
  return new SocketSink(response, socket);
}

export function streamSink(stream: Writable): WatchSink {
  return new StreamSink(stream);
}

class SocketSink implements WatchSink {
  readonly #response: ServerResponse;
  readonly #socket: Socket;

  constructor(response: ServerResponse, socket: Socket) {
    this.#response = response;
    this.#socket = socket;
  }

  write(frame: Frame): void {
    this.#socket.write(frame.chunk);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  onceDrained(callback: () => void): void {
    onceDrained(this.#socket, callback);
  }

  onceClosed(callback: () => void): void {
    if (this.#response.closed) callback();
    else this.#response.once('close', callback);
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#socket.destroy();
  }
}

class StreamSink implements WatchSink {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  write(frame: Frame): void {
    this.#stream.write(frame.body);
  }

  get pendingBytes(): number {
    return this.#stream.writableLength;
  }

  onceDrained(callback: () => void): void {
    onceDrained(this.#stream, callback);
  }

  onceClosed(callback: () => void): void {
    if (this.#stream.closed) callback();
    else this.#stream.once('close', callback);
  }

  end(): void {
    this.#stream.end();
  }

  cut(): void {
    this.#stream.destroy();
  }
}

function onceDrained(stream: Writable, callback: () => void): void {
  if (stream.writableNeedDrain) stream.once('drain', callback);
  else callback();
}
