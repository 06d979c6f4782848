// A session without a server: shows a scene, and whatever is pressed changes nothing.
import type { Scene } from "../protocol";
import { EMPTY } from "../room/model";
import { Session } from "../room/session.svelte";

export class StillSession extends Session {
  constructor(room: string) {
    super({ role: "player", room });
    this.link = "open";
  }

  show(scene: Scene): void {
    this.room = { ...EMPTY, stage: scene.player, you: scene.you };
  }

  override start(): () => void {
    return () => {};
  }
  override send(): null {
    return null;
  }
  override tell(): boolean {
    return false;
  }
  override vote(): void {}
}
