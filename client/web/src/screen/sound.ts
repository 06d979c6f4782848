// The sounds of the wall, made here: no file is fetched. Soft, short, and never a loop.
// Browsers let a page sound only after a press on it.
import type { Cue } from "./cues";

const VOLUME = 0.3;

export class Sound {
  #audio: AudioContext;
  #out: GainNode;
  /** What was asked to sound last, for tests. */
  played: Cue[] = [];

  /** To be made in the handler of a press. `told` hears whether it can be heard. */
  constructor(told: (isOn: boolean) => void) {
    this.#audio = new AudioContext();
    this.#out = this.#audio.createGain();
    this.#out.gain.value = VOLUME;
    this.#out.connect(this.#audio.destination);
    const tell = () => told(this.#audio.state === "running");
    this.#audio.onstatechange = tell;
    void this.#audio.resume().then(tell, tell);
  }

  play(cue: Cue): void {
    if (this.#audio.state !== "running") return;
    this.played.push(cue);
    const at = this.#audio.currentTime + 0.02;
    if (cue === "phase") this.#notes([659, 880], at, 0.11, 0.5);
    else if (cue === "all") this.#notes([523, 659, 784, 1047], at, 0.07, 0.6);
    else this.#crack(at);
  }

  close(): void {
    void this.#audio.close();
  }

  /** Notes one after another, each fading like a struck bar. */
  #notes(pitches: number[], at: number, apart: number, lasts: number): void {
    pitches.forEach((pitch, i) => {
      for (const [times, loud] of [[1, 0.5], [3.98, 0.06]] as const) {
        const note = this.#audio.createOscillator();
        note.frequency.value = pitch * times;
        this.#fade(note, at + i * apart, loud, lasts);
      }
    });
  }

  /** Snaps that come faster and faster, and a low thud as the halves part. */
  #crack(at: number): void {
    const rate = this.#audio.sampleRate;
    for (const [delay, loud, pitch] of [
      [0, 0.35, 2600],
      [0.09, 0.5, 1900],
      [0.15, 0.7, 3200],
      [0.19, 1, 1500],
    ] as const) {
      const grain = this.#audio.createBuffer(1, rate * 0.06, rate);
      const samples = grain.getChannelData(0);
      for (let i = 0; i < samples.length; i += 1) samples[i] = Math.random() * 2 - 1;
      const snap = this.#audio.createBufferSource();
      snap.buffer = grain;
      const band = this.#audio.createBiquadFilter();
      band.type = "bandpass";
      band.frequency.value = pitch;
      band.Q.value = 0.8;
      this.#fade(snap, at + delay, loud, 0.06, band);
    }
    const thud = this.#audio.createOscillator();
    thud.frequency.setValueAtTime(130, at + 0.19);
    thud.frequency.exponentialRampToValueAtTime(48, at + 0.5);
    this.#fade(thud, at + 0.19, 0.9, 0.5);
  }

  #fade(
    source: AudioScheduledSourceNode,
    at: number,
    loud: number,
    lasts: number,
    through?: BiquadFilterNode,
  ): void {
    const gain = this.#audio.createGain();
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(loud, at + 0.008);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + lasts);
    (through ? source.connect(through) : source).connect(gain).connect(this.#out);
    source.start(at);
    source.stop(at + lasts + 0.05);
  }
}
