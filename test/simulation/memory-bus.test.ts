// The memory bus keeps the contract that the real ones keep, so that what the simulator shows with it holds for them.
import { busContract } from "../../core/bus/bus.contract.ts";
import { chanceOf } from "./chance.ts";
import { MemoryBus } from "./memory-bus.ts";
import { Process } from "./process.ts";
import { World } from "./world.ts";

busContract("memory bus", async () => {
  const world = new World({ chance: chanceOf(1), startMs: 0, odds: {}, delayMsMax: 3 });
  world.isRough = false;
  const cluster = new MemoryBus(world);
  let isOver = false;
  const served = world.scheduler.serve(() => isOver);
  const connect = () => cluster.connect(new Process(world, "one"));
  let bus = connect();
  return {
    bus,
    reopen: async () => {
      await bus.close();
      bus = connect();
      return bus;
    },
    dispose: async () => {
      await bus.close();
      isOver = true;
      world.scheduler.after(0, () => {});
      await served;
    },
  };
});
