"""What `make generate` refuses: each slip that would lose something in silence, planted into a small description."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import generate

SOUND = """\
openapi: 3.1.0
info: {title: Throw-away, version: "1"}
tags: [{name: Things}, {name: things}]
servers: [{url: "https://sandbox.example", description: Sandbox}]
paths:
  /things/{thing-id}:
    parameters:
      - $ref: "#/components/parameters/ThingId"
    put:
      operationId: putThing
      tags: [Things]
      summary: Does something
      security: []
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
      summary: Does something
      security: []
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
  securitySchemes: {oauth2: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://x.example", scopes: {a: A}}}}}
"""

PATH = "/things/{thing-id}"
PUT, DELETE = f"PUT {PATH}", f"DELETE {PATH}"
SCHEMAS = "#/components/schemas"
BOX, THING = f"{SCHEMAS}/Box", f"{SCHEMAS}/Thing"
READ_FIRST = "must be application/json, or that and then application/problem+json; only the first is read"

# what is written instead of what in the sound description, and what is told, from the number of the line on
SLIPS: dict[str, tuple[str, str, str]] = {
    # YAML
    "a path twice": (
        "\ncomponents:",
        "\n  /things/{thing-id}: {}\ncomponents:",
        f"5: #/paths: {PATH} is written twice, in lines 6 and 45",
    ),
    "a property twice": (
        "        made:",
        "        box: {type: string}\n        made:",
        f"70: {THING}/properties: box is written twice, in lines 71 and 73",
    ),
    "a status twice": (
        '"404": *error',
        '"404": *error\n        404: *error',
        f"25: {PUT} responses: 404 is written twice, in lines 36 and 37\n"
        f"37: {PUT} responses/404: a key that is no text; put it in quotes",
    ),
    "two merges": (
        '"404": *error',
        '"404": {<<: *error, <<: *error}',
        f"36: {PUT} responses/404: << is written twice, in lines 36 and 36",
    ),
    "two merges of a key": (
        '"404": *error',
        '"404": {<<: [*error, {description: x}]}',
        f"36: {PUT} responses/404/<<: merges description twice",
    ),
    "a date": (
        "example: t1",
        "example: 2026-03-01",
        "52: #/components/parameters/ThingId/example: 2026-03-01 is no text; put it in quotes",
    ),
    # what tools crash on
    "no such schema": (
        "made:\n",
        "x: {$ref: '#/components/schemas/X'}\n        made:\n",
        f"73: {THING}/properties/x: {SCHEMAS}/X does not exist",
    ),
    "a circle of references": (
        "made:\n",
        "x: {$ref: '#/components/schemas/Thing/properties/x'}\n        made:\n",
        f"73: {THING}/properties/x: {THING}/properties/x does not exist",
    ),
    "an operation twice": ("deleteThing", "putThing", f"37: {DELETE}: its name in Python, put_thing, is that of {PUT}"),
    "a path elsewhere": (
        "\ncomponents:",
        "\n  /other: {$ref: '#/paths/~1things~1{thing-id}'}\ncomponents:",
        "45: /other: is a reference, which the generator ignores",
    ),
    # operations
    "no operationId": ("      operationId: deleteThing\n", "", f"37: {DELETE}: has no operationId"),
    "operations alike": ("deleteThing", "put-thing", f"37: {DELETE}: its name in Python, put_thing, is that of {PUT}"),
    "parameters alike": (
        "        - {name: kind, in: query, schema: {type: string}}\n",
        "        - {name: kind, in: query, schema: {type: string}}\n"
        "        - {name: Kind, in: query, schema: {type: string}}\n",
        f"16: {PUT} parameters/1: its name in Python, kind_query, is that of {PUT} parameters/0",
    ),
    "tags alike": (
        "deleteThing\n      tags: [Things]",
        "deleteThing\n      tags: [things]",
        f"37: {DELETE}: its tag's name in Python, things, is that of {PUT}",
    ),
    "two tags": (
        "deleteThing\n      tags: [Things]",
        "deleteThing\n      tags: [Things, Others]",
        f"37: {DELETE}: must have one tag; the generator uses the first alone",
    ),
    "no tag": (
        "deleteThing\n      tags: [Things]",
        "deleteThing",
        f"37: {DELETE}: must have one tag; the generator uses the first alone",
    ),
    "a body in two media types": (
        "          application/json:\n            schema:\n",
        "          text/plain: {schema: {type: string}}\n          application/json:\n            schema:\n",
        f"9: {PUT}: must have one media type for its body; operations.py would have the first alone\n"
        f"9: {PUT}: a body can't be text/plain",
    ),
    "no schema": (
        "{schema: {type: string}}\n          content:",
        "{schema: {type: string}}\n          content:\n            text/plain: {}",
        f"26: {PUT} responses/200: {READ_FIRST}\n31: {PUT} responses/200/content/text/plain: has no schema",
    ),
    "a body by no parameter": ("{kind: {box", "{kin: {box", f"9: {PUT}: x-body-by names kin, which is no parameter"),
    "a body of no alternative": (
        "thing: Thing}",
        "thing: SmallThing}",
        f"9: {PUT}: x-body-by names SmallThing, which is none of the body's alternatives",
    ),
    "an unknown extension": (
        "      operationId: deleteThing",
        "      operationId: deleteThing\n      x-envelop: thing",
        f"39: {DELETE} x-envelop: unknown extension",
    ),
    "an extension out of place": (
        "      operationId: deleteThing",
        "      operationId: deleteThing\n      x-body-by: {}",
        f"39: {DELETE} x-body-by: unknown extension",
    ),
    "a parameter without a schema": (
        "in: query, schema: {type: string}",
        "in: query, content: {text/plain: {schema: {type: string}}}",
        f"15: {PUT} parameters/0: has no schema",
    ),
    # keywords, outside of schemas
    "of an operation": (
        "deleteThing",
        "deleteThing\n      summry: x",
        f"37: {DELETE}: unknown keyword ('summry' was unexpected)",
    ),
    "of a path": (
        "    delete:",
        "    delet: {}\n    delete:",
        f"6: {PATH}: unknown keyword ('delet' was unexpected)",
    ),
    "of a parameter": (
        "example: t1",
        "exmaple: t1",
        "47: #/components/parameters/ThingId: unknown keyword ('exmaple' was unexpected)",
    ),
    "of a request body": (
        "        required: true\n        content",
        "        requierd: true\n        content",
        f"16: {PUT} requestBody: unknown keyword ('requierd' was unexpected)",
    ),
    "of a media type": (
        "            x-body-by",
        "            exmaples: {}\n            x-body-by",
        f"19: {PUT} requestBody/content/application/json: unknown keyword ('exmaples' was unexpected)",
    ),
    "of a response": (
        "description: Gone.",
        "description: Gone.\n          contnet: {}",
        f"43: {DELETE} responses/204: unknown keyword ('contnet' was unexpected)",
    ),
    "of a header": (
        "X-Request-ID: {schema",
        "X-Request-ID: {requierd: true, schema",
        f"29: {PUT} responses/200/headers/X-Request-ID: unknown keyword ('requierd' was unexpected)",
    ),
    "a parameter of no path": (
        "name: kind, in: query",
        "name: kind, in: path, required: true",
        f"1: #/: Path parameter 'kind' for 'put' operation in '{PATH}' was not resolved",
    ),
    # schemas
    "a keyword": ("maxLength: 35", "maxLenght: 35", f"60: {BOX}/properties/owner/maxLenght: unknown keyword"),
    "a keyword below": (
        "schema: {type: string}}\n      requestBody",
        "schema: {type: array, items: {type: string, patern: x}}, explode: false}\n      requestBody",
        f"15: {PUT} parameters/0/schema/items/patern: unknown keyword",
    ),
    "a keyword of a condition": (
        "    Thing:\n      type: object",
        "    Thing:\n      if: {requierd: [box]}\n      type: object",
        f"69: {THING}/if/requierd: unknown keyword",
    ),
    "an extension": ("maxLength: 35", "x-constant: {}", f"60: {BOX}/properties/owner/x-constant: unknown keyword"),
    "a keyword of another version": (
        "maxLength: 35",
        "nullable: true",
        f"60: {BOX}/properties/owner/nullable: unknown keyword",
    ),
    "a value": (
        "maxLength: 35",
        "maxLength: '35'",
        f"60: {BOX}/properties/owner/maxLength: '35' is not of type 'integer'",
    ),
    "a pattern": ("maxLength: 35", "pattern: '('", f"60: {BOX}/properties/owner/pattern: '(' is not a 'regex'"),
    "a type": (
        "          type: string\n          maxLength",
        "          type: strng\n          maxLength",
        f"59: {BOX}/properties/owner/type: 'strng' is not valid under any of the given schemas",
    ),
    "no type": (
        "          type: string\n          maxLength: 35",
        "          maxLength: 35",
        f"58: {BOX}/properties/owner: no rule can say what owner may be: one type, one enum, or models",
    ),
    "a format": ("format: date", "format: dat", f"73: {THING}/properties/made: unknown format dat"),
    "beside a reference": (
        '          $ref: "#/components/schemas/Box"',
        '          $ref: "#/components/schemas/Box"\n          description: Its box.',
        f"71: {THING}/properties/box: what stands beside $ref is ignored",
    ),
    "a required property": (
        "required: [owner]",
        "required: [owner, siez]",
        f"54: {BOX}: requires siez, which is none of its properties",
    ),
    "an enum": (
        "[small, large]",
        "[small, no]",
        f"65: {SCHEMAS}/KnownSize: an enum of what is no text; put its values in quotes",
    ),
    "an object in an object": (
        "maxLength: 35",
        "properties: {name: {type: string}}",
        f"58: {BOX}/properties/owner: properties says nothing about string\n"
        f"58: {BOX}/properties/owner: an object or enum without a name; make it a component",
    ),
    "an object in a parameter": (
        "in: query, schema: {type: string}",
        "in: query, schema: {type: object}",
        f"15: {PUT} parameters/0/schema: an object or enum without a name; make it a component",
    ),
    "an object in a union": (
        "- type: string",
        "- {type: object, properties: {x: {type: string}}}",
        f"64: {BOX}/properties/size/anyOf/1: an object or enum without a name; make it a component",
    ),
    "allOf beside properties": (
        "      properties:\n        box",
        "      allOf: [{$ref: '#/components/schemas/Box'}]\n      properties:\n        box",
        f"68: {THING}: allOf is for x-constants, with one reference; write the properties of others out",
    ),
    "oneOf beside properties": (
        "      properties:\n        box",
        "      oneOf: [{required: [box]}, {required: [made]}]\n      properties:\n        box",
        f"70: {THING}/oneOf: unknown keyword",
    ),
    "a default": ("maxLength: 35", "default: 35", "1: #/: 35 is not of type 'string'"),
    "a base too many": (
        "      x-constants",
        "        - {$ref: '#/components/schemas/Box'}\n      x-constants",
        f"81: {SCHEMAS}/SmallThing: allOf is for x-constants, with one reference; write the properties of others out",
    ),
    "schemas alike": (
        "    SmallThing:",
        "    smallThing: {type: string}\n    SmallThing:",
        f"82: {SCHEMAS}/SmallThing: its name in Python, small_thing, is that of {SCHEMAS}/smallThing",
    ),
    "properties alike": (
        "        made:",
        "        BOX: {type: string}\n        made:",
        f"73: {THING}/properties/BOX: its name in Python, box, is that of {THING}/properties/box",
    ),
    "a property like its schema": (
        "        owner:",
        "        Box: {type: string}\n        owner:",
        f"58: {BOX}/properties/Box: box has another meaning in the code of its model",
    ),
    "a property like a method": (
        "        owner:",
        "        toDict: {type: string}\n        owner:",
        f"58: {BOX}/properties/toDict: to_dict has another meaning in the code of its model",
    ),
    # what the generator drops, warns about or makes up
    "anyOf beside properties": (
        "      properties:\n        thing",
        "      anyOf: [{required: [thing]}, {description: Or not.}]\n      properties:\n        thing",
        f"76: {SCHEMAS}/Answer: no class was written for it",
    ),
    "an object or null": (
        "    Box:\n      type: object",
        "    Box:\n      type: [object, 'null']",
        "1: #/: the class BoxType0 was written, which no component describes; give it a name there\n"
        f"54: {BOX}: no class was written for it",
    ),
    "a base that is no class": (
        "    Thing:\n      type: object",
        "    Thing:\n      type: [object, 'null']",
        "package.api.things.put_thing can't be imported: ModuleNotFoundError: No module named 'package.models.thing'",
    ),
    "an enum without a name": (
        "maxLength: 35",
        "enum: [me, you]",
        f"58: {BOX}/properties/owner: an object or enum without a name; make it a component",
    ),
    "a parameter named url": (
        "deleteThing\n",
        "deleteThing\n      parameters: [{name: url, in: query, schema: {type: string}}]\n",
        f"39: {DELETE} parameters/0: url has another meaning in the code of its operation",
    ),
    "a parameter named body": (
        "deleteThing\n",
        "deleteThing\n      parameters: [{name: body, in: query, schema: {type: string}}]\n",
        f"39: {DELETE} parameters/0: body has another meaning in the code of its operation",
    ),
    "a schema named Response": (
        "    Thing:",
        "    Response: {type: object}\n    Thing:",
        f"68: {SCHEMAS}/Response: Response has another meaning in generated code",
    ),
    "a status": (
        '"404": *error',
        '"4O4": *error',
        f"25: {PUT} responses: unknown keyword ('4O4' was unexpected)",
    ),
    # what rules can't say
    "a union in a request": (
        "- type: string",
        "- type: integer",
        f"61: {BOX}/properties/size: no rule can say what size may be: one type, one enum, or models",
    ),
    "two types in a request": (
        "          type: string\n          maxLength",
        "          type: [string, integer]\n          maxLength",
        f"58: {BOX}/properties/owner: no rule can say what owner may be: one type, one enum, or models",
    ),
}


_MADE = "        made:\n"
# a property that is planted into a model, and what is told of it
PROPERTIES: dict[str, tuple[str, str]] = {
    "like an item": (
        "boxes: {type: array, items: {type: string}}\n        boxes_item: {type: string}",
        "boxes_item: boxes_item has another meaning in the code of its model",
    ),
    "like the data of an item": (
        "boxes: {anyOf: [{type: array, items: {type: string}}, {type: 'null'}]}\n        boxesItemData: {type: string}",
        "boxesItemData: boxes_item_data has another meaning in the code of its model",
    ),
    "like a reader": ("readDate: {type: string}", "readDate: read_date has another meaning in the code of its model"),
    "like the repr": (
        "shortRepr: {type: string}",
        "shortRepr: short_repr has another meaning in the code of its model",
    ),
    "like a check": (
        "known: {$ref: '#/components/schemas/KnownSize'}\n        checkKnownSize: {type: string}",
        "checkKnownSize: check_known_size has another meaning in the code of its model",
    ),
    "that begins with a digit": ("3ds: {type: string}", "3ds: its name can't be one in Python: 3ds"),
    "of signs": ("$: {type: string}", "$: its name can't be one in Python: $"),
    "that may be anything": ("x: true", "x: true is no schema that a model or a rule can be made of"),
    "a list of anything": (
        "x: {type: array, items: true}",
        "x/items: true is no schema that a model or a rule can be made of",
    ),
    "a list without items": ("x: {type: array}", "x: a list without items"),
    "a text with items": ("x: {type: string, maxItems: 3}", "x: maxItems says nothing about string"),
    "a text with a minimum": ("x: {type: string, minimum: 3}", "x: minimum says nothing about string"),
    "a list with a length": (
        "x: {type: array, items: {type: string}, minLength: 1}",
        "x: minLength says nothing about array",
    ),
    "a number with a pattern": ("x: {type: [integer, 'null'], pattern: x}", "x: pattern says nothing about integer"),
    "a day with a pattern": ("x: {type: string, format: date, pattern: x}", "x: pattern says nothing about a date"),
    "that contains itself": ("x: &x {type: array, items: *x}", "x/items: contains itself"),
}
# a parameter that is planted into an operation, and what is told of it
PARAMETERS: dict[str, tuple[str, str]] = {
    "like the headers": ("{name: headers, in: query, schema: {type: string}}", "headers has another meaning in"),
    "like a function": ("{name: UUID4, in: header, schema: {type: string}}", "uuid4 has another meaning in"),
    "like an argument of op.call": ("{name: endpoint, in: query, schema: {type: string}}", "endpoint has another"),
    "like another's text": (
        "{name: json_kinds, in: query, schema: {type: string}}, "
        "{name: kinds, in: query, explode: false, schema: {type: array, items: {type: string}}}",
        "json_kinds has another meaning in the code of its operation",
    ),
    "a list, exploded": (
        "{name: kinds, in: query, schema: {type: array, items: {type: string}}}",
        "a list goes in a query alone, with commas; write explode: false",
    ),
    "a list in a header": (
        "{name: X-Kinds, in: header, explode: false, schema: {type: array, items: {type: string}}}",
        "a list goes in a query alone, with commas; write explode: false",
    ),
    "a list with pipes": (
        "{name: kinds, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: string}}}",
        "is sent with style form, whatever is written here",
    ),
    "a schema": ("{$ref: '#/components/schemas/Box'}", f"{BOX} is none of components/parameters"),
    "without a name": ("{in: query, schema: {type: string}}", '"name" is a required property'),
    "no parameter": ("5", '5 is not of type "object"'),
}
_SECURITY = "deleteThing\n      tags: [Things]\n      summary: Does something\n      security: []"
SLIPS |= {
    "a tag of nobody": (
        "deleteThing\n      tags: [Things]",
        "deleteThing\n      tags: [Thigns]",
        f"37: {DELETE}: its tag, Thigns, is none of the description's tags",
    ),
    "no security": (_SECURITY, _SECURITY.rpartition("\n")[0], f"37: {DELETE}: has no security"),
    "no summary": (
        _SECURITY,
        _SECURITY.replace("      summary: Does something\n", ""),
        f"37: {DELETE}: has no summary",
    ),
    "no responses": (
        '      responses:\n        "204":\n          description: Gone.\n',
        "",
        f"37: {DELETE}: has no responses",
    ),
    "two schemes at once": (
        _SECURITY,
        _SECURITY.replace("[]", "[{oauth2: [], oauth2b: []}]"),
        f"37: {DELETE}: security: one scheme in each alternative; more are read as alternatives\n"
        f"37: {DELETE}: security: oauth2b is no scheme",
    ),
    "no such scope": (
        _SECURITY,
        _SECURITY.replace("[]", "[{oauth2: [a, b]}]"),
        f"37: {DELETE}: security: b is no scope of oauth2",
    ),
    "callbacks": (
        "deleteThing\n",
        "deleteThing\n      callbacks: {}\n",
        f"39: {DELETE} callbacks: is ignored by the generator",
    ),
    "webhooks": ("\ncomponents:", "\nwebhooks: {}\ncomponents:", "45: #/webhooks: is ignored by the generator"),
    "paths of components": (
        "\ncomponents:\n",
        "\ncomponents:\n  pathItems: {}\n",
        "46: #/components/pathItems: is ignored by the generator",
    ),
    "links": (
        "description: Gone.",
        "description: Gone.\n          links: {}",
        f"45: {DELETE} responses/204/links: is ignored by the generator",
    ),
    "another media type of an answer": (
        "application/json:\n              schema:\n                $",
        "text/json:\n              schema:\n                $",
        f"26: {PUT} responses/200: {READ_FIRST}",
    ),
    "a problem before the answer": (
        "          content:\n            application/json",
        f"          content:\n            application/problem+json: {{schema: {{$ref: '{BOX}'}}}}\n"
        "            application/json",
        f"26: {PUT} responses/200: {READ_FIRST}",
    ),
    "another media type of a body": (
        "application/json:\n            schema",
        "aplication/json:\n            schema",
        f"9: {PUT}: a body can't be aplication/json",
    ),
    "an answer that is a schema": (
        '"404": *error',
        f'"404": {{$ref: "{BOX}"}}',
        f"36: {PUT} responses/404: {BOX} is none of components/responses",
    ),
    "an answer that refers to another": (
        "\ncomponents:\n",
        "\ncomponents:\n  responses: {A: {$ref: '#/components/responses/B'}, B: {description: B}}\n",
        "46: #/components/responses/A: is itself a reference, which the generator does not follow",
    ),
    "a constant that the base has": (
        "{size: small}",
        "{made: small}",
        f"81: {SCHEMAS}/SmallThing: x-constants: made must be a new name, and its value a text",
    ),
    "an envelope of nothing": (
        "deleteThing\n",
        "deleteThing\n      x-envelope: thing\n",
        f"37: {DELETE}: x-envelope is for answers that are objects",
    ),
    "an open enum of no enum": (
        '- $ref: "#/components/schemas/KnownSize"',
        '- $ref: "#/components/schemas/Thing"',
        f"61: {BOX}/properties/size: no rule can say what size may be: one type, one enum, or models",
    ),
    "limits of what is not described": (
        "    Thing:\n      type: object",
        "    Thing:\n      type: object\n      additionalProperties: {type: string, maxLength: 3}",
        f"68: {THING}: no rule can hold what additionalProperties says",
    ),
    "an enum without values": ("[small, large]", "[]", f"65: {SCHEMAS}/KnownSize: an enum without values"),
    "a path that is a list": ("\ncomponents:", "\n  /other: [5]\ncomponents:", "45: /other: is no mapping"),
    "a path without anything": ("\ncomponents:", "\n  /other:\ncomponents:", "45: /other: is no mapping"),
    "paths that are a list": (SOUND, "openapi: 3.1.0\npaths: [5]", "2: #/paths: is no mapping"),
    "no list of parameters": (
        "deleteThing\n",
        "deleteThing\n      parameters:\n",
        f'39: {DELETE} parameters: null is not of type "array"',
    ),
    "bytes": (
        "example: t1",
        "example: !!binary aGk=",
        "52: #/components/parameters/ThingId/example: aGk= is no text; put it in quotes",
    ),
    "a set": (
        "example: t1",
        "example: !!set {a, b}",
        "52: #/components/parameters/ThingId/example: set is no text; put it in quotes",
    ),
    "what nobody foresaw": (
        _MADE,
        f"        x: {'{type: array, items: ' * 400}{{type: string}}{'}' * 400}\n{_MADE}",
        f"68: {THING}: can't be read: RecursionError",
    ),
}


@pytest.mark.parametrize(("planted", "told"), PROPERTIES.values(), ids=PROPERTIES)
def test_a_property_is_refused(tmp_path: Path, planted: str, told: str) -> None:
    assert f"{THING}/properties/{told}" in refused(tmp_path, SOUND.replace(_MADE, f"        {planted}\n{_MADE}"))


@pytest.mark.parametrize(("planted", "told"), PARAMETERS.values(), ids=PARAMETERS)
def test_a_parameter_is_refused(tmp_path: Path, planted: str, told: str) -> None:
    text = SOUND.replace("deleteThing\n", f"deleteThing\n      parameters: [{planted}]\n")
    assert refused(tmp_path, text).startswith(f"39: {DELETE} parameters/0: {told}")


def refused(folder: Path, text: str) -> str:
    """What is told of a description, without the name of its file."""
    file = folder / "slip.yaml"
    file.write_text(text)
    with pytest.raises(generate.GenerationError) as caught:
        generate.generate(folder / "package", file)
    return str(caught.value).replace(f"{file}:", "")


@pytest.mark.parametrize(
    "planted", ["x-constants: {type: string}", "in: {type: string}\n        schema: {type: string}"]
)
def test_a_property_may_be_named_like_a_keyword(tmp_path: Path, planted: str) -> None:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND.replace(_MADE, f"        {planted}\n{_MADE}"))
    generate.generate(tmp_path / "package", file)


def test_a_text_may_speak_of_the_generators_own_words(tmp_path: Path) -> None:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND.replace("maxLength: 35", "description: Unset by them."))
    generate.generate(tmp_path / "package", file)
    assert "Unset by them." in (tmp_path / "package" / "models" / "box.py").read_text()


@pytest.mark.parametrize(("old", "new", "told"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_refused_and_its_place_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert SOUND.count(old) == 1
    assert refused(tmp_path, SOUND.replace(old, new)) == told


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
