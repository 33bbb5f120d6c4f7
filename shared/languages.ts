/** The longest language tag that is stored (RFC 5646, 4.4.1), in characters. */
export const MAX_LANGUAGE_TAG = 35

/**
 * The languages that a user can choose for a video: ISO 639-1 codes, ISO 639-3 codes of sign languages and some others, and tags of
 * BCP 47. Videos of other servers may have others.
 */
export const VIDEO_LANGUAGES: readonly string[] = [
  ...[
    'aa ab af ak am ar an as av ae ay az ba bm be bn bi bo bs br bg ca cs ch ce cu cv kw co cr cy da de dv dz el en eo et eu',
    'ee fo fa fj fi fr fy ff gd ga gl gv gn gu ht ha he hz hi ho hr hu hy ig io ii iu ie ia id ik is it jv ja kl kn ks ka kr',
    'kk km ki rw ky kv kg ko kj ku lo la lv li ln lt lb lu lg mh ml mr mk mg mt mn mi ms my na nv nr nd ng ne nl nn nb no ny',
    'oc oj or om os pa pi pl pt ps qu rm ro rn ru sg sa si sk sl se sm sn sd so st es sc sr ss su sw sv ty ta tt te tg tl th',
    'ti to tn ts tk tr tw ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ase asq asf bfi bzs csl cse dsl fsl gsg jsl kvk lsg',
    'nsl pks psr rsl sdl sfs sls swl kab zgh nds sq sh tlh avk fse gcf jbo tok'
  ].flatMap(line => line.split(' ')),
  'ca-valencia',
  'es-419',
  'pt-PT',
  'zh-Hans',
  'zh-Hant',
  'zxx'
]

/** Whether a tag of BCP 47 is of a known language, also with a region or script: `fr`, `fr-FR`, `zh-Hans-CN`. */
export function isLanguageTag(tag: string): boolean {
  return (
    tag.length <= MAX_LANGUAGE_TAG &&
    /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i.test(tag) &&
    VIDEO_LANGUAGES.includes(tag.split('-')[0]!.toLowerCase())
  )
}
