/** A change of configuration in two steps: everything is prepared before anything is changed, so that it is whole or not at all. */

export interface Prepared {
  /** Nothing that is wrong with the configuration is found here any more. */
  commit(): void | Promise<void>;
  /** Instead of `commit`: lets go of what was made. */
  discard(): void | Promise<void>;
}

/** Prepares one after another. Throws what one of them throws, with everything let go of. */
export async function prepareAll(steps: readonly (() => Promise<Prepared>)[]): Promise<Prepared> {
  const done: Prepared[] = [];
  const discard = async (): Promise<void> => {
    for (const one of done.splice(0)) await one.discard();
  };
  try {
    for (const step of steps) done.push(await step());
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    commit: async () => {
      for (const one of done.splice(0)) await one.commit();
    },
    discard,
  };
}
