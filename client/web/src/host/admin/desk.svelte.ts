// The admin's side of the wire: one session, and the answers it has had.
import type {
  Case,
  CaseSummary,
  Deck,
  DeckList,
  LeftOut,
  OpenRoom,
  RefusedMessage,
  RoomOpenedMessage,
  RoomSummary,
  ServerMessage,
} from "../../protocol";
import { prove } from "../../room/keys";
import { Session } from "../../room/session.svelte";
import { ownedHash } from "../link";

export class Desk {
  decks: Deck[] = $state.raw([]);
  /** How long each deck takes, by flow and number of rounds. */
  minutes: DeckList["minutes"] & object = $state.raw({});
  cases: CaseSummary[] = $state.raw([]);
  /** Files of cases that the server could not use, each with what to do. */
  leftOut: LeftOut[] = $state.raw([]);
  rooms: RoomSummary[] | null = $state.raw(null);
  preview: Case | null = $state.raw(null);
  /** The key is not the server's: nothing can be done from this link. */
  isLockedOut = $state(false);
  isOpening = $state(false);
  error: RefusedMessage | null = $state.raw(null);
  /** The code of the room that was deleted last. */
  deleted: string | null = $state(null);
  /** Why the last room was not deleted. */
  notDeleted: RefusedMessage | null = $state.raw(null);
  /** The deletion that has not been answered: its number, and the room. */
  #deleting: { ref: number; room: string } | null = $state.raw(null);
  readonly session: Session;
  readonly key: string | null;
  #stop: () => void = () => {};
  #opened: (message: RoomOpenedMessage) => void;

  constructor(key: string | null, opened: (message: RoomOpenedMessage) => void) {
    this.key = key;
    this.#opened = opened;
    const proof = (nonce: string) => prove(key ?? "", "admin", null, nonce);
    const identity = { role: "admin" as const, room: null, prove: proof };
    this.session = new Session(identity, (message) => this.#hear(message));
  }

  start(): () => void {
    this.#stop = this.session.start();
    // An author comes back from the editor: cases may have changed.
    const look = () => {
      if (document.visibilityState === "visible") this.session.send({ type: "list_decks" });
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      this.#stop();
    };
  }

  open(wish: Omit<OpenRoom, "type" | "ref">): void {
    this.error = null;
    this.isOpening = this.session.send({ type: "open_room", ...wish }) !== null;
  }

  look(id: string): void {
    this.session.send({ type: "get_case", case: id });
  }

  /** Open a room's console: by its present link, which may have been called back. */
  enter(room: string): void {
    this.session.send({ type: "get_link", room });
  }

  get isDeleting(): boolean {
    return this.#deleting !== null;
  }

  delete(room: string): void {
    this.notDeleted = null;
    const ref = this.session.send({ type: "delete_room", room });
    if (ref !== null) this.#deleting = { ref, room };
  }

  #isGone(room: string): void {
    this.#deleting = null;
    this.deleted = room;
    this.rooms = this.rooms?.filter((one) => one.room !== room) ?? null;
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#deleting = null; // the list of rooms shows whether it was done
        this.session.send({ type: "list_decks" });
        this.session.send({ type: "list_rooms" });
        return;
      case "deck_list":
        this.decks = message.decks;
        this.minutes = message.minutes ?? {};
        this.cases = message.cases;
        this.leftOut = message.left_out;
        return;
      case "room_list":
        this.rooms = message.rooms;
        return;
      case "room_deleted":
        this.#isGone(message.room);
        return;
      case "host_link":
        location.hash = ownedHash(message.room, this.key ?? "", message.salts);
        return;
      case "case":
        this.preview = message.case;
        return;
      case "room_opened":
        this.isOpening = false;
        this.#opened(message);
        return;
      case "refused":
        this.#refuse(message);
        return;
      default:
    }
  }

  #refuse(message: RefusedMessage): void {
    if (this.#deleting && message.ref === this.#deleting.ref) {
      if (message.code === "unknown_room") return this.#isGone(this.#deleting.room);
      this.#deleting = null;
      this.notDeleted = message;
      return;
    }
    this.isOpening = false;
    if (message.code === "wrong_proof") {
      this.isLockedOut = true;
      this.#stop();
    } else if (message.code !== "not_allowed") {
      this.error = message;
    }
  }
}
