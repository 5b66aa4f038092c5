/** Histories with a name: each has broken a lock somewhere. The lock and the fence are the product's own. */
import { describe, expect, it } from "vitest";
import type { Flight } from "./simulator/network.ts";
import { Script } from "./simulator/script.ts";

const nothingBroken = ({ world }: Script) => expect(world.truth.violations).toEqual([]);

describe("a coordinator stopped between grant and send, woken after the other took over", () => {
  it("sends a program that nobody takes any more", () => {
    const script = new Script();
    const { world } = script;
    script.wants("db1");
    script.leads("co1");
    script.until("the grant is announced", () => world.buckets.log.read()?.value.held?.announced === true);
    script.until("the sending is written down", () => script.asksToWrite("co1", "log"));
    const written = script.operationOf("co1");
    world.perform(written);
    script.coordinator("co1").paused = true;

    script.wants("db2");
    script.leads("co2");
    script.until("db2 has entered", () => script.hasEntered("db2"));
    expect(script.record).toMatchObject({ state: "entered", epoch: 2, entered: ["db2"] });

    world.answer(written, false);
    script.coordinator("co1").resume();
    const isTheProgram = ({ message, stream }: Flight) =>
      message.$case === "runProgram" && stream.node === "db1";
    const sent = world.net.flights.findIndex(isTheProgram);
    expect(sent).toBeGreaterThanOrEqual(0);
    world.deliver(sent, false);
    expect(script.agent("db1").unfinished).toBeUndefined();
    expect(script.hasEntered("db2")).toBe(true);
    nothingBroken(script);
  });
});

describe("the store forgets a grant while the granted node is cut off", () => {
  it("grants nothing until that node has spoken, and then nothing but its own program goes on", () => {
    const script = new Script();
    script.wants("db1");
    script.leads("co1");
    script.until("db1 has entered", () => script.hasEntered("db1"));
    script.agent("db1").stream = undefined;
    script.coordinator("co1").kill();
    script.world.buckets.lock.forget(2);
    script.world.buckets.log.forget(99);
    script.wants("db2");
    script.leads("co2", "db2", "db3");
    script.world.passTime(100_000);
    expect(script.record).toBeUndefined();
    for (let times = 0; times < 200; times += 1) script.world.passTime(1_000);
    expect(script.record).toBeUndefined();
    script.dial("co2", "db1");
    script.until("db1 has come to its end", () => script.agent("db1").unfinished?.ended !== undefined);
    expect(script.record).toBeUndefined();
    expect(script.world.truth.counts.enters).toBe(1);
    nothingBroken(script);
  });
});

describe("lock and log both forget that a node has entered, and its program has failed", () => {
  it("nothing is taken for untouched: the node's journal counts, and the lock stays", () => {
    const script = new Script();
    const { world } = script;
    script.wants("db1");
    script.leads("co1");
    script.until("db1 has entered", () => script.hasEntered("db1"));
    const isWaiting = () => world.buckets.log.read()?.value.held?.entered.length === 0;
    world.truth.stepFails = true;
    script.until("its program has failed", () => script.agent("db1").unfinished?.ended !== undefined);
    script.coordinator("co1").kill();
    world.buckets.lock.forget(1);
    while (!isWaiting()) world.buckets.log.forget(1);
    expect(script.record?.state).toBe("granted");
    script.wants("db2");
    script.leads("co2");
    script.until("it has stopped", () => world.buckets.log.read()?.value.stop !== undefined);
    expect(world.buckets.log.read()?.value.held?.entered).toEqual(["db1"]);
    expect(script.agent("db1").unfinished?.ended).toBeDefined();
    expect(script.record?.state).toBe("granted");
    nothingBroken(script);
  });
});

describe("reports are taken, a program enters, the store forgets, and a stale write succeeds on a repeated revision", () => {
  it("is stopped by the one agent that is in work", () => {
    const script = new Script();
    script.wants("db2");
    script.leads("co1");
    script.until("co1 has all reports and asks to write its grant", () => script.asksToWrite("co1", "lock"));
    const stale = script.operationOf("co1");
    script.coordinator("co1").paused = true;
    script.wants("db1");
    script.leads("co2");
    script.until("db1 has entered", () => script.hasEntered("db1"));
    script.world.buckets.lock.forget(2);
    script.world.buckets.log.forget(99);
    script.world.perform(stale);
    expect(stale.answer).toEqual({ swap: "written" });
    script.dial("co1", ...script.world.nodes);
    script.coordinator("co1").paused = false;
    script.reaches("co1");
    script.world.answer(stale, false);
    script.until("co1 has given its grant back", () => script.record?.state === "free");
    expect(script.hasEntered("db1")).toBe(true);
    expect(script.agent("db2").unfinished).toBeUndefined();
    nothingBroken(script);
  });
});

describe("an enter that is answered after its deadline", () => {
  it("is not taken, and its lock goes back once the agent has said so", () => {
    const script = new Script();
    script.wants("db1");
    script.leads("co1");
    const { world } = script;
    const answer = () => world.net.flights.findIndex(({ message }) => message.$case === "enterGranted");
    script.until("the enter is granted", () => answer() >= 0);
    expect(script.record?.state).toBe("entered");
    const [late] = world.net.flights.splice(answer(), 1);
    world.passTime(5_001);
    if (late !== undefined) world.net.flights.unshift(late);
    world.deliver(0, false);
    expect(script.hasEntered("db1")).toBe(false);
    script.until("the lock is free", () => script.record?.state === "free");
    expect(world.truth.counts.enters).toBe(0);
    script.until("another try has entered", () => world.truth.counts.enters === 1);
    expect(script.record?.epoch).toBe(2);
    nothingBroken(script);
  });
});

describe("an enter that is lost and abandoned", () => {
  it("leaves nothing behind: the record that it has entered goes back to free", () => {
    const script = new Script();
    script.wants("db1");
    script.leads("co1");
    const { world } = script;
    const answer = () => world.net.flights.findIndex(({ message }) => message.$case === "enterGranted");
    script.until("the enter is granted", () => answer() >= 0);
    world.net.take(answer());
    world.passTime(5_000);
    script.agent("db1").work();
    expect(script.agent("db1").unfinished).toBeUndefined();
    script.until("the lock is free", () => script.record?.state === "free");
    expect(script.record).toMatchObject({ epoch: 1, entered: [] });
    nothingBroken(script);
  });

  it("also when the agent says it first to the next coordinator", () => {
    const script = new Script();
    script.wants("db1");
    script.leads("co1");
    const { world } = script;
    script.until("the enter is granted", () =>
      world.net.flights.some(({ message }) => message.$case === "enterGranted"),
    );
    script.coordinator("co1").kill();
    world.net.flights.length = 0;
    world.passTime(5_000);
    script.agent("db1").stream = undefined;
    script.agent("db1").work();
    expect(script.record).toMatchObject({ state: "entered", entered: ["db1"] });
    script.leads("co2");
    script.until("the lock is free", () => script.record?.state === "free");
    nothingBroken(script);
  });
});
