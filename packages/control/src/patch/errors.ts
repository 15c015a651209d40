/** Why a patch was not applied, and the Status each reason becomes. */

import { ApiError } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';

export type PatchErrorCode =
  /** The patch itself is wrong, whatever the object: 400. */
  | 'PATCH_MALFORMED'
  /** The patch is right but does not fit this object: a failed test, a path that is not there: 422. */
  | 'PATCH_NOT_APPLICABLE'
  /** Applying it would cost more than one request may: 413. */
  | 'PATCH_TOO_LARGE';

export class PatchError extends OutriggerError {
  declare readonly code: PatchErrorCode;

  constructor(code: PatchErrorCode, message: string, target?: string) {
    super(message, { code, ...(target === undefined ? {} : { target }) });
    this.name = 'PatchError';
  }
}

/** The Status of a PatchError. kubectl shows the fixed text of 422; what really happened is its one cause. */
export function patchStatus(error: PatchError): ApiError {
  switch (error.code) {
    case 'PATCH_MALFORMED':
      return ApiError.badRequest(error.message);
    case 'PATCH_TOO_LARGE':
      return ApiError.tooLarge(error.message);
    case 'PATCH_NOT_APPLICABLE':
      return new ApiError(
        {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'the server rejected our request due to an error in our request',
          reason: 'Invalid',
          details: { causes: [{ message: error.message }] },
          code: 422,
        },
        error,
      );
  }
}

export function malformed(message: string, target?: string): PatchError {
  return new PatchError('PATCH_MALFORMED', message, target);
}

export function notApplicable(message: string, target?: string): PatchError {
  return new PatchError('PATCH_NOT_APPLICABLE', message, target);
}

export function tooLarge(message: string, target?: string): PatchError {
  return new PatchError('PATCH_TOO_LARGE', message, target);
}
