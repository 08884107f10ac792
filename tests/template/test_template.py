"""The template's own rules: what is asynchronous can fail safely, and nobody may do too much."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import pytest

from dibs.aws.settings import TABLES, Settings, logical_id
from dibs.cli.target import output_of
from dibs.core.rep import Platform
from support.tables import TEMPLATE, expanded

WHOLE = expanded()
RESOURCES: dict[str, dict[str, Any]] = WHOLE["Resources"]
POWERTOOLS = {f"POWERTOOLS_{name}" for name in ("SERVICE_NAME", "METRICS_NAMESPACE", "LOG_LEVEL")}
OPERATIONS = (TEMPLATE.parent / "docs" / "operations.md").read_text(encoding="utf-8")
HANDLED = ("ingest", "claim", "rep", "manage", "activities", "boards", "game")


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in function["Policies"]:
        for statement in policy["Statement"]:
            yield statement.get("Fn::If", [None, statement])[1]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


FUNCTIONS = of_type("AWS::Serverless::Function")


def test_every_queue_but_a_dead_letter_queue_ends_in_one_after_five_tries() -> None:
    for name, queue in of_type("AWS::SQS::Queue").items():
        if not name.endswith("DeadLetters"):
            assert queue["RedrivePolicy"]["maxReceiveCount"] == 5, name


def test_every_dead_letter_queue_has_an_alarm_on_what_is_in_it() -> None:
    alarms = json.dumps(of_type("AWS::CloudWatch::Alarm"))
    dead = [name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")]
    assert len(dead) >= 6
    for name in dead:
        assert f'"{name}.QueueName"' in alarms or f'["{name}", "QueueName"]' in alarms, name
    assert "ApproximateNumberOfMessagesVisible" in alarms


def test_every_mapping_reports_its_failures_one_by_one() -> None:
    mappings = of_type("AWS::Lambda::EventSourceMapping")
    assert mappings
    for name, mapping in mappings.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name


def test_the_stream_cannot_be_blocked_by_a_poison_record() -> None:
    stream = of_type("AWS::Lambda::EventSourceMapping")["RelayFromStream"]
    assert stream["MaximumRetryAttempts"] > 0
    assert stream["MaximumRecordAgeInSeconds"] <= 3600
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["DestinationConfig"]["OnFailure"]


def test_a_queue_hides_a_message_six_times_as_long_as_its_function_may_run() -> None:
    queues = of_type("AWS::SQS::Queue")
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        queue = queues.get(mapping["EventSourceArn"]["Fn::GetAtt"][0])
        if queue is not None:
            function = FUNCTIONS[mapping["FunctionName"]["Ref"]]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_every_function_keeps_its_logs_for_a_stated_time() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    for name, function in FUNCTIONS.items():
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"], name


def test_every_log_group_is_the_one_lambda_would_make_for_its_function() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    for name, function in FUNCTIONS.items():
        pattern, names = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]["LogGroupName"][
            "Fn::Sub"
        ]
        own = pattern.replace("${Name}", names["Name"])
        assert own == f"/aws/lambda/{function['FunctionName']['Fn::Sub']}", name


# Actions for which IAM knows no resource: what SNS keeps of phone numbers, once per account.
WITHOUT_RESOURCE = ("sns:ListPhoneNumbersOptedOut", "sns:OptInPhoneNumber")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_role_may_do_everything_to_something_or_something_to_everything(name: str) -> None:
    for statement in statements(FUNCTIONS[name]):
        for action in listed(statement["Action"]):
            assert not action.endswith(":*"), action
            assert action != "*"
        for resource in listed(statement.get("Resource", [])):
            if resource == "*" and statement["Action"] not in WITHOUT_RESOURCE:
                # The one exception stands under a condition for the local stack alone.
                pytest.fail(f"{name} may {statement['Action']} everything")


def test_contact_details_are_read_by_ingest_claim_and_reply_alone() -> None:
    readers = {
        name
        for name, function in FUNCTIONS.items()
        for statement in statements(function)
        if "ContactsTable" in json.dumps(statement)
    }
    assert readers == {"IngestFunction", "ClaimFunction", "ReplyFunction"}


def test_who_may_write_credentials_and_who_may_read_them() -> None:
    """Who can write digests can be anybody; who writes the organisation only reads them."""
    may: dict[str, set[str]] = {}
    for name, function in FUNCTIONS.items():
        for statement in statements(function):
            if "CredentialsTable" in json.dumps(statement):
                may.setdefault(name, set()).update(listed(statement["Action"]))
    readers = {"ClaimFunction", "RepFunction", "ActivitiesFunction", "GameFunction"}
    assert set(may) == readers | {"ManageFunction", "BoardsFunction"}
    for name in readers:
        assert may[name] == {"dynamodb:BatchGetItem"}, name


def test_nothing_changes_or_deletes_an_entry_of_the_audit_trail() -> None:
    for name, function in FUNCTIONS.items():
        for statement in statements(function):
            if "AuditTable" in json.dumps(statement):
                assert set(listed(statement["Action"])) <= {"dynamodb:PutItem", "dynamodb:Query"}, (
                    name
                )


def test_the_claim_can_publish_nothing() -> None:
    assert "sns:" not in json.dumps(list(statements(FUNCTIONS["ClaimFunction"])))


def test_every_route_is_handled_and_everything_handled_has_a_route() -> None:
    routed = {route["RouteKey"] for route in of_type("AWS::ApiGatewayV2::Route").values()}
    handled: set[str] = set()
    for name in HANDLED:
        module = importlib.import_module(f"{name}.handler")
        handled |= set(module.ROUTES)
    assert routed == handled


@pytest.mark.parametrize("name", HANDLED)
def test_every_route_leads_to_the_function_that_handles_it(name: str) -> None:
    integration = {"Integration": {"Ref": f"{name.capitalize()}Integration"}}
    led = {
        route["RouteKey"]
        for route in of_type("AWS::ApiGatewayV2::Route").values()
        if route["Target"]["Fn::Sub"] == ["integrations/${Integration}", integration]
    }
    assert led == set(importlib.import_module(f"{name}.handler").ROUTES)


@pytest.mark.parametrize("function", WHOLE["Mappings"]["Routes"])
def test_every_route_written_down_is_in_the_list_the_loop_runs_over(function: str) -> None:
    routes = WHOLE["Mappings"]["Routes"][function]
    assert routes["Names"] == [name for name in routes if name != "Names"]


def test_the_access_log_names_the_route_and_neither_path_nor_caller() -> None:
    stage = of_type("AWS::ApiGatewayV2::Stage")["ApiStage"]
    log = stage["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in log
    assert not re.search(r"\$context\.(path|identity|requestOverride)", log)


def test_every_function_of_the_folder_is_deployed_and_the_other_way_round() -> None:
    folders = {path.parent.name for path in TEMPLATE.parent.glob("functions/*/handler.py")}
    deployed = {function["Handler"].split(".")[0] for function in FUNCTIONS.values()}
    assert deployed == folders


def test_every_function_nobody_waits_for_has_an_alarm_on_its_errors() -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/Lambda", "Errors")
    }
    for name, function in FUNCTIONS.items():
        answers = function["Handler"].split(".")[0] in HANDLED
        assert (name in watched) is not answers, name


def test_no_alarm_looks_at_more_metrics_than_cloudwatch_takes() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert len([one for one in alarm.get("Metrics", []) if "MetricStat" in one]) <= 10, name


def test_the_tables_are_those_of_the_settings() -> None:
    ids = {logical_id(field) for field in TABLES}
    assert set(of_type("AWS::DynamoDB::Table")) == ids
    for field in TABLES:
        here = {"Ref": logical_id(field)}
        assert WHOLE["Outputs"][logical_id(field)]["Value"] == here
        for name, function in FUNCTIONS.items():
            assert function["Environment"]["Variables"][field.upper()] == here, name


@pytest.mark.parametrize("platform", Platform)
def test_a_push_platform_is_a_parameter_that_three_functions_get_their_rights_by(
    platform: Platform,
) -> None:
    parameter = logical_id(f"{platform}_application_arn")
    assert WHOLE["Parameters"][parameter]["Default"] == ""
    assert parameter in json.dumps(WHOLE["Conditions"][f"Has{platform.capitalize()}"])
    users = {
        name
        for name, function in FUNCTIONS.items()
        for statement in statements(function)
        if parameter in json.dumps(statement)
    }
    assert users == {"NotifyFunction", "RepFunction", "UndeliveredFunction"}


def test_every_job_has_a_schedule_an_event_and_a_line_in_the_operators_page() -> None:
    schedules = FUNCTIONS["RecalculateFunction"]["Events"].values()
    sent = [json.loads(schedule["Properties"]["Input"]) for schedule in schedules]
    jobs = importlib.import_module("recalculate.handler").JOBS
    assert sorted(one["job"] for one in sent) == sorted(jobs)
    for one in sent:
        event = TEMPLATE.parent / "events" / f"schedule_{one['job']}.json"
        assert json.loads(event.read_text(encoding="utf-8")) == one
        assert f"| `{one['job']}` |" in OPERATIONS


def test_every_alarm_has_a_line_in_the_operators_page() -> None:
    rows = "\n".join(re.findall(r"^\| (`[^|]+) \|", OPERATIONS, flags=re.MULTILINE))
    for name in of_type("AWS::CloudWatch::Alarm"):
        assert f"`{name.removesuffix('Alarm')}`" in rows, name


@pytest.mark.parametrize("field", TABLES)
def test_the_page_of_access_patterns_names_who_may_write_to_a_table_and_nobody_else(
    field: str,
) -> None:
    page = (TEMPLATE.parent / "docs" / "access-patterns.md").read_text(encoding="utf-8")
    section = page.split(f"### {field.removesuffix('_table')}\n")[1].split("\n#")[0]
    columns = "\n".join(line.split("|")[3] for line in section.splitlines() if "|" in line)
    writers = {
        function["Handler"].split(".")[0]
        for function in FUNCTIONS.values()
        for statement in statements(function)
        if re.search(r'"dynamodb:(Put|Update|Delete|BatchWrite)', json.dumps(statement["Action"]))
        and f'"{logical_id(field)}"' in json.dumps(statement["Resource"]).replace(".", '"')
    }
    everybody = {function["Handler"].split(".")[0] for function in FUNCTIONS.values()}
    assert {name for name in everybody if re.search(rf"\b{name}\b", columns)} == writers


def test_every_setting_is_given_to_a_function_and_nothing_else_is() -> None:
    given = {name for one in FUNCTIONS.values() for name in one["Environment"]["Variables"]}
    settings = {field.name.upper() for field in fields(Settings)}
    assert given - settings == POWERTOOLS | {"STAGE"}
    assert settings <= given


def test_every_setting_the_commands_need_is_an_output() -> None:
    for field in fields(Settings):
        if field.default is MISSING:
            assert output_of(field.name) in WHOLE["Outputs"], field.name


def test_no_secret_stands_in_the_template() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert not re.search(r"whsec_|AKIA[0-9A-Z]{12}|BEGIN [A-Z ]*PRIVATE KEY", text)
