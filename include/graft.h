/* Graft: grows a new head on a pretrained ONNX model.
 *
 *   graft/status.h      codes and messages
 *   graft/runtime.h     threads, memory, cache folder, log
 *   graft/model.h       open, inspect, save and run ONNX files
 *   graft/graph.h       everything in a model, as plain structs
 *   graft/edit.h        names, outputs, contents of a model; ballast
 *   graft/convert.h     another batch, smaller weights
 *   graft/train.h       a new head from a folder of photos
 *   graft/finetune.h    training any parameters, gradients of any values
 *   graft/classifier.h  predict, evaluate, verify
 *   graft/cache.h       the feature cache
 *   graft/bench.h       how fast a model runs here
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_H
#define GRAFT_H

#include "graft/bench.h"
#include "graft/cache.h"
#include "graft/classifier.h"
#include "graft/convert.h"
#include "graft/edit.h"
#include "graft/finetune.h"
#include "graft/graph.h"
#include "graft/model.h"
#include "graft/runtime.h"
#include "graft/status.h"
#include "graft/train.h"

#endif
