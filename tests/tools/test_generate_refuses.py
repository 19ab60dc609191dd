"""What `make generate` refuses: each slip that would lose something in silence, planted into a small description."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import generate

SOUND = """\
openapi: 3.1.0
info: {title: Throw-away, version: "1"}
servers: [{url: "https://sandbox.example", description: Sandbox}]
paths:
  /things/{thing-id}:
    parameters:
      - $ref: "#/components/parameters/ThingId"
    put:
      operationId: putThing
      tags: [Things]
      parameters:
        - {name: kind, in: query, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              anyOf:
                - $ref: "#/components/schemas/Box"
                - $ref: "#/components/schemas/Thing"
            x-body-by: {kind: {box: Box, thing: Thing}}
      responses:
        "200":
          description: OK.
          headers:
            X-Request-ID: {schema: {type: string}}
          content:
            application/json:
              schema:
                $ref: "#/components/schemas/Answer"
        "400": &error
          description: Not OK.
        "404": *error
    delete:
      operationId: deleteThing
      tags: [Things]
      responses:
        "204":
          description: Gone.
components:
  parameters:
    ThingId:
      name: thing-id
      in: path
      required: true
      schema: {type: string}
      example: t1
  schemas:
    Box:
      type: object
      required: [owner]
      properties:
        owner:
          type: string
          maxLength: 35
        size:
          anyOf:
            - $ref: "#/components/schemas/KnownSize"
            - type: string
    KnownSize:
      type: string
      enum: [small, large]
    Thing:
      type: object
      properties:
        box:
          $ref: "#/components/schemas/Box"
        made:
          type: string
          format: date
    Answer:
      type: object
      properties:
        thing:
          $ref: "#/components/schemas/SmallThing"
    SmallThing:
      allOf:
        - $ref: "#/components/schemas/Thing"
      x-constants: {size: small}
"""

PATH = "/things/{thing-id}"
PUT, DELETE = f"PUT {PATH}", f"DELETE {PATH}"
SCHEMAS = "#/components/schemas"
BOX, THING = f"{SCHEMAS}/Box", f"{SCHEMAS}/Thing"

# what is written instead of what in the sound description, and what is told, from the number of the line on
SLIPS: dict[str, tuple[str, str, str]] = {
    # YAML
    "a path twice": (
        "\ncomponents:",
        "\n  /things/{thing-id}: {}\ncomponents:",
        f"4: #/paths: {PATH} is written twice, in lines 5 and 40",
    ),
    "a property twice": (
        "        made:",
        "        box: {type: string}\n        made:",
        f"65: {THING}/properties: box is written twice, in lines 66 and 68",
    ),
    "a status twice": (
        '"404": *error',
        '"404": *error\n        404: *error',
        f"22: {PUT} responses: 404 is written twice, in lines 33 and 34\n"
        f"34: {PUT} responses/404: a key that is no text; put it in quotes",
    ),
    "two merges": (
        '"404": *error',
        '"404": {<<: *error, <<: *error}',
        f"33: {PUT} responses/404: << is written twice, in lines 33 and 33",
    ),
    "two merges of a key": (
        '"404": *error',
        '"404": {<<: [*error, {description: x}]}',
        f"33: {PUT} responses/404/<<: merges description twice",
    ),
    "a date": (
        "example: t1",
        "example: 2026-03-01",
        "47: #/components/parameters/ThingId/example: 2026-03-01 is no text; put it in quotes",
    ),
    # what tools crash on
    "no such schema": (
        "made:\n",
        "x: {$ref: '#/components/schemas/X'}\n        made:\n",
        f"68: {THING}/properties/x: {SCHEMAS}/X does not exist",
    ),
    "a circle of references": (
        "made:\n",
        "x: {$ref: '#/components/schemas/Thing/properties/x'}\n        made:\n",
        f"68: {THING}/properties/x: {THING}/properties/x does not exist",
    ),
    "an operation twice": ("deleteThing", "putThing", f"34: {DELETE}: its name in Python, putThing, is that of {PUT}"),
    "a path elsewhere": (
        "\ncomponents:",
        "\n  /other: {$ref: '#/paths/~1things~1{thing-id}'}\ncomponents:",
        "40: /other: is a reference, which the generator ignores",
    ),
    # operations
    "no operationId": ("      operationId: deleteThing\n", "", f"34: {DELETE}: has no operationId"),
    "operations alike": ("deleteThing", "put-thing", f"34: {DELETE}: its name in Python, put_thing, is that of {PUT}"),
    "parameters alike": (
        "        - {name: kind, in: query, schema: {type: string}}\n",
        "        - {name: kind, in: query, schema: {type: string}}\n"
        "        - {name: Kind, in: query, schema: {type: string}}\n",
        f"13: {PUT} parameters/1: its name in Python, kind_query, is that of {PUT} parameters/0",
    ),
    "tags alike": (
        "deleteThing\n      tags: [Things]",
        "deleteThing\n      tags: [things]",
        f"34: {DELETE}: its tag's name in Python, things, is that of {PUT}",
    ),
    "two tags": (
        "deleteThing\n      tags: [Things]",
        "deleteThing\n      tags: [Things, Others]",
        f"34: {DELETE}: must have one tag; the generator uses the first alone",
    ),
    "no tag": (
        "deleteThing\n      tags: [Things]",
        "deleteThing",
        f"34: {DELETE}: must have one tag; the generator uses the first alone",
    ),
    "a body in two media types": (
        "          application/json:\n            schema:\n",
        "          text/plain: {schema: {type: string}}\n          application/json:\n            schema:\n",
        f"8: {PUT}: must have one media type for its body; operations.py would have the first alone",
    ),
    "no schema": (
        "{schema: {type: string}}\n          content:",
        "{schema: {type: string}}\n          content:\n            text/plain: {}",
        f"28: {PUT} responses/200/content/text/plain: has no schema",
    ),
    "a body by no parameter": ("{kind: {box", "{kin: {box", f"8: {PUT}: x-body-by names kin, which is no parameter"),
    "a body of no alternative": (
        "thing: Thing}",
        "thing: SmallThing}",
        f"8: {PUT}: x-body-by names SmallThing, which is none of the body's alternatives",
    ),
    "an unknown extension": (
        "      operationId: deleteThing",
        "      operationId: deleteThing\n      x-envelop: thing",
        f"36: {DELETE} x-envelop: unknown extension",
    ),
    "an extension out of place": (
        "      operationId: deleteThing",
        "      operationId: deleteThing\n      x-body-by: {}",
        f"36: {DELETE} x-body-by: unknown extension",
    ),
    "a parameter without a schema": (
        "in: query, schema: {type: string}",
        "in: query, content: {text/plain: {schema: {type: string}}}",
        f"12: {PUT} parameters/0: has no schema",
    ),
    # keywords, outside of schemas
    "of an operation": (
        "deleteThing",
        "deleteThing\n      summry: x",
        f"34: {DELETE}: unknown keyword ('summry' was unexpected)",
    ),
    "of a path": (
        "    delete:",
        "    delet: {}\n    delete:",
        f"5: {PATH}: unknown keyword ('delet' was unexpected)",
    ),
    "of a parameter": (
        "example: t1",
        "exmaple: t1",
        "42: #/components/parameters/ThingId: unknown keyword ('exmaple' was unexpected)",
    ),
    "of a request body": (
        "        required: true\n        content",
        "        requierd: true\n        content",
        f"13: {PUT} requestBody: unknown keyword ('requierd' was unexpected)",
    ),
    "of a media type": (
        "            x-body-by",
        "            exmaples: {}\n            x-body-by",
        f"16: {PUT} requestBody/content/application/json: unknown keyword ('exmaples' was unexpected)",
    ),
    "of a response": (
        "description: Gone.",
        "description: Gone.\n          contnet: {}",
        f"38: {DELETE} responses/204: unknown keyword ('contnet' was unexpected)",
    ),
    "of a header": (
        "X-Request-ID: {schema",
        "X-Request-ID: {requierd: true, schema",
        f"26: {PUT} responses/200/headers/X-Request-ID: unknown keyword ('requierd' was unexpected)",
    ),
    "a parameter of no path": (
        "name: kind, in: query",
        "name: kind, in: path, required: true",
        f"1: #/: Path parameter 'kind' for 'put' operation in '{PATH}' was not resolved",
    ),
    # schemas
    "a keyword": ("maxLength: 35", "maxLenght: 35", f"55: {BOX}/properties/owner/maxLenght: unknown keyword"),
    "a keyword below": (
        "{type: string}}\n      requestBody",
        "{type: array, items: {type: string, patern: x}}}\n      requestBody",
        f"12: {PUT} parameters/0/schema/items/patern: unknown keyword",
    ),
    "a keyword of a condition": (
        "    Thing:\n      type: object",
        "    Thing:\n      if: {requierd: [box]}\n      type: object",
        f"64: {THING}/if/requierd: unknown keyword",
    ),
    "an extension": ("maxLength: 35", "x-constant: {}", f"55: {BOX}/properties/owner/x-constant: unknown keyword"),
    "a keyword of another version": (
        "maxLength: 35",
        "nullable: true",
        f"55: {BOX}/properties/owner/nullable: unknown keyword",
    ),
    "a value": (
        "maxLength: 35",
        "maxLength: '35'",
        f"55: {BOX}/properties/owner/maxLength: '35' is not of type 'integer'",
    ),
    "a pattern": ("maxLength: 35", "pattern: '('", f"55: {BOX}/properties/owner/pattern: '(' is not a 'regex'"),
    "a type": (
        "          type: string\n          maxLength",
        "          type: strng\n          maxLength",
        f"54: {BOX}/properties/owner/type: 'strng' is not valid under any of the given schemas",
    ),
    "no type": (
        "          type: string\n          maxLength: 35",
        "          maxLength: 35",
        f"53: {BOX}/properties/owner: no rule can say what owner may be: one type, one enum, or models",
    ),
    "a format": ("format: date", "format: dat", f"68: {THING}/properties/made: unknown format dat"),
    "beside a reference": (
        '          $ref: "#/components/schemas/Box"',
        '          $ref: "#/components/schemas/Box"\n          description: Its box.',
        f"66: {THING}/properties/box: what stands beside $ref is ignored",
    ),
    "a required property": (
        "required: [owner]",
        "required: [owner, siez]",
        f"49: {BOX}: requires siez, which is none of its properties",
    ),
    "an enum": (
        "[small, large]",
        "[small, no]",
        f"60: {SCHEMAS}/KnownSize: an enum of what is no text; put its values in quotes",
    ),
    "an object in an object": (
        "maxLength: 35",
        "properties: {name: {type: string}}",
        f"53: {BOX}/properties/owner: an object or enum without a name; make it a component",
    ),
    "an object in a parameter": (
        "in: query, schema: {type: string}",
        "in: query, schema: {type: object}",
        f"12: {PUT} parameters/0/schema: an object or enum without a name; make it a component",
    ),
    "an object in a union": (
        "- type: string",
        "- {type: object, properties: {x: {type: string}}}",
        f"59: {BOX}/properties/size/anyOf/1: an object or enum without a name; make it a component",
    ),
    "allOf beside properties": (
        "      properties:\n        box",
        "      allOf: [{$ref: '#/components/schemas/Box'}]\n      properties:\n        box",
        f"63: {THING}: allOf is for x-constants, with one reference; write the properties of others out",
    ),
    "oneOf beside properties": (
        "      properties:\n        box",
        "      oneOf: [{required: [box]}, {required: [made]}]\n      properties:\n        box",
        f"65: {THING}/oneOf: unknown keyword",
    ),
    "a default": ("maxLength: 35", "default: 35", "1: #/: 35 is not of type 'string'"),
    "a base too many": (
        "      x-constants",
        "        - {$ref: '#/components/schemas/Box'}\n      x-constants",
        f"76: {SCHEMAS}/SmallThing: allOf is for x-constants, with one reference; write the properties of others out",
    ),
    "schemas alike": (
        "    SmallThing:",
        "    smallThing: {type: string}\n    SmallThing:",
        f"77: {SCHEMAS}/SmallThing: its name in Python, small_thing, is that of {SCHEMAS}/smallThing",
    ),
    "properties alike": (
        "        made:",
        "        BOX: {type: string}\n        made:",
        f"68: {THING}/properties/BOX: its name in Python, box, is that of {THING}/properties/box",
    ),
    "a property like its schema": (
        "        owner:",
        "        Box: {type: string}\n        owner:",
        f"53: {BOX}/properties/Box: box has another meaning in the code of its model",
    ),
    "a property like a method": (
        "        owner:",
        "        toDict: {type: string}\n        owner:",
        f"53: {BOX}/properties/toDict: to_dict has another meaning in the code of its model",
    ),
    # what the generator drops, warns about or makes up
    "anyOf beside properties": (
        "      properties:\n        thing",
        "      anyOf: [{required: [thing]}, {description: Or not.}]\n      properties:\n        thing",
        f"71: {SCHEMAS}/Answer: no class was written for it",
    ),
    "an object or null": (
        "    Box:\n      type: object",
        "    Box:\n      type: [object, 'null']",
        "1: #/: the class BoxType0 was written, which no component describes; give it a name there\n"
        f"49: {BOX}: no class was written for it",
    ),
    "a base that is no class": (
        "    Thing:\n      type: object",
        "    Thing:\n      type: [object, 'null']",
        "package.api.things.put_thing can't be imported: ModuleNotFoundError: No module named 'package.models.thing'",
    ),
    "an enum without a name": (
        "maxLength: 35",
        "enum: [me, you]",
        f"53: {BOX}/properties/owner: an object or enum without a name; make it a component",
    ),
    "a parameter named url": (
        "deleteThing\n",
        "deleteThing\n      parameters: [{name: url, in: query, schema: {type: string}}]\n",
        f"34: {DELETE}: its function takes other arguments: thing_id, url_query",
    ),
    "a parameter named body": (
        "deleteThing\n",
        "deleteThing\n      parameters: [{name: body, in: query, schema: {type: string}}]\n",
        f"34: {DELETE}: its function takes other arguments: thing_id, body",
    ),
    "a schema named Response": (
        "    Thing:",
        "    Response: {type: object}\n    Thing:",
        f"63: {SCHEMAS}/Response: Response has another meaning in generated code",
    ),
    "a status": (
        '"404": *error',
        '"4O4": *error',
        f"22: {PUT} responses: unknown keyword ('4O4' was unexpected)",
    ),
    # what rules can't say
    "a union in a request": (
        "- type: string",
        "- type: integer",
        f"56: {BOX}/properties/size: no rule can say what size may be: one type, one enum, or models",
    ),
    "two types in a request": (
        "          type: string\n          maxLength",
        "          type: [string, integer]\n          maxLength",
        f"53: {BOX}/properties/owner: no rule can say what owner may be: one type, one enum, or models",
    ),
}


@pytest.mark.parametrize(("old", "new", "told"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_refused_and_its_place_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert SOUND.count(old) == 1
    file = tmp_path / "slip.yaml"
    file.write_text(SOUND.replace(old, new))
    with pytest.raises(generate.GenerationError) as caught:
        generate.generate(tmp_path / "package", file)
    assert str(caught.value).replace(f"{file}:", "") == told


def test_the_sound_description_has_no_slip(tmp_path: Path) -> None:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND)
    generate.generate(tmp_path / "package", file)


def test_what_is_merged_may_be_overridden(tmp_path: Path) -> None:
    file = tmp_path / "merged.yaml"
    shared = "x-shared: &shared {'404': {description: Not here.}, '409': {description: Not now.}}\n"
    file.write_text(shared + SOUND.replace('"404": *error', '"404": *error\n        <<: *shared'))
    responses = generate.load(file)["paths"]["/things/{thing-id}"]["put"]["responses"]
    said = {status: response["description"] for status, response in responses.items()}
    assert said == {"200": "OK.", "400": "Not OK.", "404": "Not OK.", "409": "Not now."}
    generate.generate(tmp_path / "package", file)


def test_a_parameter_of_an_operation_stands_for_that_of_its_path(tmp_path: Path) -> None:
    file = tmp_path / "overridden.yaml"
    own = "      parameters: [{name: thing-id, in: path, required: true, schema: {type: string, maxLength: 7}}]\n"
    file.write_text(SOUND.replace("deleteThing\n", f"deleteThing\n{own}"))
    generate.generate(tmp_path / "package", file)
    assert "max_length=7" in (tmp_path / "package" / "operations.py").read_text()


def test_a_field_that_is_not_in_its_class_is_told() -> None:
    things = {"Thing": {"type": "object", "properties": {"size": {}, "thingId": {}}}}
    content = {"paths": {}, "components": {"schemas": things}}
    written = {"classes": {"Thing": ["thing_id"]}, "operations": {}}
    place = ("components", "schemas", "Thing", "properties", "size")
    assert [*generate.lost(content, written)] == [(place, "is not in its class, Thing")]
