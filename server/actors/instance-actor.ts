/** The name of the actor that speaks for the instance itself. */
export const INSTANCE_ACTOR_NAME = 'peertube'
