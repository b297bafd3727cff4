/**
 * A short sound, made by the browser and not loaded: two notes, and for a mention three. A page that was not used yet
 * makes none, since browsers do not allow it.
 *
 * @module
 */
/// <reference lib="dom" />

/** Hertz of each note, and seconds from note to note and of its fading. */
const NOTES = { message: [660, 880], mention: [660, 880, 1175] } as const;
const STEP_S = 0.12;
const FADE_S = 0.35;
/** How loud, of 1. */
const GAIN = 0.08;

let context: AudioContext | undefined;
/** Notes that have not ended. */
let sounding = 0;

export function chime(what: keyof typeof NOTES): void {
  if (!navigator.userActivation?.hasBeenActive) return;
  try {
    context ??= new AudioContext();
    context.resume().catch(() => {});
    NOTES[what].forEach((hertz, n) => note(context!, hertz, context!.currentTime + n * STEP_S));
  } catch {
    // A device without sound.
  }
}

function note(context: AudioContext, hertz: number, atS: number): void {
  const tone = new OscillatorNode(context, { type: "sine", frequency: hertz });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, atS);
  volume.gain.linearRampToValueAtTime(GAIN, atS + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.0001, atS + FADE_S);
  tone.connect(volume).connect(context.destination);
  sounding++;
  // A context that runs keeps the device from sleep, also in silence.
  tone.addEventListener("ended", () => {
    if (--sounding === 0) context.suspend().catch(() => {});
  });
  tone.start(atS);
  tone.stop(atS + FADE_S);
}
