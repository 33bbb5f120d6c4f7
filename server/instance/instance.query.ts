import { z } from 'zod'
import { ActorImage } from '../../shared/actors.ts'
import { query, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR } from '../actors/instance-actor.ts'
import { bannersSql } from '../actors/actor.shape.ts'

/** The banner of the instance's own actor in all sizes. */
export async function bannersOfInstance(): Promise<ActorImage[]> {
  const [row] = await query(
    z.object({ banners: z.array(ActorImage) }),
    sql`
    SELECT ${bannersSql(sql`actor`)} AS banners FROM actors actor WHERE actor.host IS NULL AND lower(actor.preferred_username) = ${INSTANCE_ACTOR}`
  )
  return row!.banners
}
