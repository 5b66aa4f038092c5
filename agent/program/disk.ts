/**
 * What the journal needs of a disk. A port, because losing what was written but not synced cannot be shown
 * on a real one: a property test runs the journal over a disk that forgets.
 */
export interface Disk {
  /** Whole content, or undefined where there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Opens for appending; creates the file, and its folder entry is durable, when it is missing. */
  open(path: string): Promise<DiskFile>;
  /** Old content or new content, never a mixture, whatever happens; durable when it resolves. */
  replace(path: string, content: Uint8Array): Promise<void>;
}

export interface DiskFile {
  append(bytes: Uint8Array): Promise<void>;
  /** Durable when it resolves. A rejected sync says nothing about what is on the disk. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}
