"""The Modbus master core against an independent implementation: pymodbus' RTU framing, and its server behind a socket."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from protocols.modbus.crc import crc16
from protocols.modbus.errors import PeerError
from protocols.modbus.rtu import Answer, Request

RESPONSES = {
    1: ReadCoilsResponse,
    2: ReadDiscreteInputsResponse,
    3: ReadHoldingRegistersResponse,
    4: ReadInputRegistersResponse,
}


@st.composite
def requests(draw: st.DrawFn) -> Request:
    function = draw(st.integers(1, 4))
    count = draw(st.integers(1, 2000 if function <= 2 else 125))
    return Request(draw(st.integers(1, 247)), function, draw(st.integers(0, 0x10000 - count)), count)


@given(st.binary(max_size=300))
def test_the_crc_is_theirs(data: bytes) -> None:
    # They give it with the bytes in the order of the wire.
    assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@given(requests())
def test_they_understand_each_request_as_it_is_meant(request: Request) -> None:
    frame = request.encode()
    framer = FramerRTU(DecodePDU(is_server=True))
    used, pdu = framer.handleFrame(frame, 0, 0)
    assert used == len(frame) and pdu is not None
    assert (pdu.dev_id, pdu.function_code, pdu.address, pdu.count) == (
        request.unit,
        request.function,
        request.address,
        request.count,
    )


@given(requests(), st.data())
def test_each_answer_of_theirs_is_understood(request: Request, data: st.DataObject) -> None:
    framer = FramerRTU(DecodePDU(is_server=True))
    if request.function <= 2:
        values = data.draw(st.lists(st.integers(0, 1), min_size=request.count, max_size=request.count))
        pdu = RESPONSES[request.function](dev_id=request.unit, bits=[bool(value) for value in values])
    else:
        values = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=request.count, max_size=request.count))
        pdu = RESPONSES[request.function](dev_id=request.unit, registers=values)
    assert Answer(request).feed(framer.buildFrame(pdu)) == values


async def _transact(request: Request, port: int) -> list[int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request.encode())
        answer = Answer(request)
        while True:
            data = await asyncio.wait_for(reader.read(answer.missing()), 5)
            assert data, "the server hung up"
            values = answer.feed(data)
            if values is not None:
                return values
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_real_server_answers_and_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    data = [SimData(0x1010, values=list(range(100, 114)), datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, simdata=data), framer=FramerType.RTU, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        for function in (3, 4):
            assert await _transact(Request(1, function, 0x1010, 14), port) == list(range(100, 114))
        assert await _transact(Request(1, 3, 0x1012, 1), port) == [102]
        with pytest.raises(PeerError) as refused:
            await _transact(Request(1, 3, 0x7000, 4), port)
        assert (refused.value.kind, refused.value.code) == ("exception", 2)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus
