/** Refusals that carry more than a sentence. */
import { AppError } from "../../core/errors.ts";

/** Somebody else was faster: what there is now goes with the answer, so that nothing is lost. */
export class ConflictError extends AppError {
  readonly current: unknown;
  constructor(sentence: string, current: unknown) {
    super("conflict", sentence);
    this.name = "ConflictError";
    this.current = current;
  }
}

/** What is wrong, by field: `{"limits.tokensPerDay": "This must be a positive number."}`. */
export class InvalidFields extends AppError {
  readonly fields: Record<string, string>;
  constructor(fields: Record<string, string>, sentence?: string) {
    super("invalid", sentence ?? Object.values(fields)[0] ?? "Something in this request is not right.");
    this.name = "InvalidFields";
    this.fields = fields;
  }
}

/** A refusal that programs have to tell apart from others of its status: `totp_required`. */
export class CodedError extends AppError {
  readonly problemCode: string;
  constructor(code: AppError["code"], problemCode: string, sentence: string) {
    super(code, sentence);
    this.name = "CodedError";
    this.problemCode = problemCode;
  }
}
