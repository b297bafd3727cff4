// @ts-check
/**
 * Frames of c2 for clients: what a server sent is read, what a client sends is written.
 *
 * @module
 */
export {};
