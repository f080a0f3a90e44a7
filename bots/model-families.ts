import type { ModelAbilities } from "../migrations/types.ts";

/**
 * What is known of models by their names: context window and the longest answer asked for, in tokens; images; other
 * files (PDF). First match counts. Answers are kept well below what the largest models could write, since the day's cap holds
 * that much for each open call.
 */
const FAMILIES: [RegExp, ModelAbilities][] = [
  [/claude-(3-haiku|3-sonnet|3-opus|2|instant)/, ability(200_000, 4_096, true, false)],
  [/claude/, ability(200_000, 16_384, true, true)],
  [/gpt-3\.5/, ability(16_385, 4_096, false, false)],
  [/gpt-4o|chatgpt-4o/, ability(128_000, 16_384, true, true)],
  [/gpt-4\.1/, ability(1_000_000, 16_384, true, true)],
  [/gpt-4-turbo|gpt-4-vision/, ability(128_000, 4_096, true, false)],
  [/gpt-4/, ability(8_192, 2_048, false, false)],
  [/gpt-oss/, ability(128_000, 16_384, false, false)],
  [/gpt-\d/, ability(272_000, 16_384, true, true)],
  [/(^|\/)o[134](-|$)/, ability(200_000, 16_384, true, true)],
  [/gemini/, ability(1_000_000, 16_384, true, true)],
  [/gemma-?(3n|[4-9])|gemma-?3[:-](4|12|27)b/, ability(32_768, 8_192, true, false)],
  [/gemma/, ability(8_192, 4_096, false, false)],
  [/qwen.*(vl|omni)|qvq/, ability(32_768, 8_192, true, false)],
  [/qwen|qwq/, ability(32_768, 8_192, false, false)],
  [/llama-?(3\.2-(11|90)b|3\.2-vision|-?4)|llama-?4/, ability(128_000, 8_192, true, false)],
  [/llama-?3\.[1-9]/, ability(128_000, 8_192, false, false)],
  [
    /llava|bakllava|moondream|minicpm-?v|pixtral|internvl|cogvlm|smolvlm|phi-?(3\.5|4).*(vision|multimodal)|vision/,
    ability(8_192, 4_096, true, false),
  ],
  [/mistral-small-?3\.[1-9]|mistral-(medium|large)|magistral|ministral-?3/, ability(128_000, 8_192, true, false)],
  [/mistral|mixtral|ministral|codestral|devstral/, ability(32_768, 8_192, false, false)],
  [/deepseek|kimi|glm|minimax|command-?(r|a)|grok/, ability(128_000, 8_192, false, false)],
];

/** A model of which nothing is known: what nearly every server of today can do. */
const UNKNOWN: ModelAbilities = ability(32_768, 4_096, false, false);

function ability(contextWindow: number, maxOutput: number, images: boolean, files: boolean): ModelAbilities {
  return { contextWindow, maxOutput, images, files };
}

/** Abilities by a model's name, changed by what is known better: what its server says of it, or what somebody set. */
export function abilitiesOf(model: string, known: Partial<ModelAbilities> = {}): ModelAbilities {
  const family = FAMILIES.find(([pattern]) => pattern.test(model.toLowerCase()))?.[1] ?? UNKNOWN;
  const set = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  const abilities: ModelAbilities = { ...family, ...set };
  // A small context must leave room for the question.
  if (known.maxOutput === undefined)
    abilities.maxOutput = Math.min(abilities.maxOutput, Math.ceil(abilities.contextWindow / 2));
  return abilities;
}

/** Models that do not chat: for vectors, speech, pictures, moderation, ranking. */
export const isChatModel = (id: string): boolean =>
  !/embed|(^|[/:-])(bge|e5|gte|minilm|clip|siglip|sdxl|flux)[-:_]|rerank|whisper|\btts\b|-tts|transcri|dall-e|stable-diffusion|gpt-image|moderation|realtime|guard|ocr/i.test(
    id,
  );
