// kafka-record.ts — a record as Kafka gave it, decoded when somebody asks.
import type { TopicName } from "../records.ts";
import type { BusRecord } from "./bus.ts";

export type RawMessage = {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
};

export class KafkaRecord implements BusRecord {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly timestampMs: number;
  readonly #bytes: Buffer | null;
  #text: string | undefined;
  #value: unknown;
  #parsed = false;

  constructor(topic: TopicName, partition: number, message: RawMessage) {
    this.topic = topic;
    this.partition = partition;
    this.offset = Number(message.offset);
    this.key = message.key?.toString("utf8") ?? "";
    this.timestampMs = Number(message.timestamp);
    this.#bytes = message.value;
  }

  get text(): string {
    this.#text ??= this.#bytes?.toString("utf8") ?? "";
    return this.#text;
  }

  get value(): unknown {
    if (!this.#parsed) {
      this.#parsed = true;
      this.#value = parsed(this.text);
    }
    return this.#value;
  }
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
