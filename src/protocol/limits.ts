/** Bounds of the wire that both ends keep. Sizes are in the unit the name says. */
export const LIMITS = {
  /** Largest frame a worker may send, in UTF-16 units; checked before anything else. */
  frameChars: 524_288,
  /** Largest frame to a worker in a host process, in bytes; a greater length is noise that something else wrote. */
  downFrameBytes: 134_217_728,
  /** Messages in one frame from a worker. */
  frameMessages: 4096,
  /** Messages batched into one frame, either way; further ones go in the next frame, so that both ends work at once. */
  batch: 64,
  /** Depth of any JSON value that crosses the wire. */
  jsonDepth: 32,
  /** Nodes of any one JSON value that crosses the wire. */
  jsonNodes: 20_000,
  /** A call's options, in UTF-16 units of JSON. */
  optionsChars: 524_288,
  /** A driver's error message, in UTF-16 units; longer ones are cut. */
  messageChars: 4096,
  /** Interfaces on one endpoint. */
  interfaces: 256,
  /** Static routes in one join. */
  routes: 1024,
  /** Requests to the host that a worker may have pending. */
  requestsOpen: 256,
  /** Reply characters a worker may request per second before it is terminated for flooding; acknowledgements may be forged. */
  answerCharsPerSecond: 67_108_864,
  /** Notices a worker may send per second before it is terminated for flooding. */
  noticesPerSecond: 20_000,
  /** Frames a worker may send per second before it is terminated for flooding. */
  framesPerSecond: 50_000,
  /** Characters of frames a worker may send per second before it is terminated for flooding. */
  frameCharsPerSecond: 268_435_456,
  /** A store key, in bytes of UTF-8. */
  storeKeyBytes: 256,
  /** Errors below one that a plugin throws, by `cause` and `errors`: depth, and number per level. */
  thrownDepth: 4,
  thrownErrors: 8,
  /** Fields of one structured log line. */
  logFields: 32,
} as const;
